// SPDX-License-Identifier: Apache-2.0
// The live overview: asks every two seconds, keeps five minutes, draws four plots.
import { byId } from "../dom.ts";
import { formatBytes, formatCount, formatDuration, short } from "../format.ts";
import { asNumber } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Plot } from "./plot.ts";
import { Rate, Series } from "./series.ts";

const windowMs = 5 * 60_000;
const soonDays = 21;

const series = (): Series => new Series(windowMs);
const connections = series();
const messages = { in: series(), out: series() };
const latency = { p50: series(), p99: series() };
const memory = series();
const rates = { in: new Rate(), out: new Rate() };

const plots = [
  new Plot({ id: "connections", title: "Connections", series: [connections], windowMs, least: 4, text: short }),
  new Plot({ id: "messages", title: "Messages a second, in and out", series: [messages.in, messages.out], windowMs, least: 1, text: short }),
  new Plot({ id: "latency", title: "Publish latency, median and p99", series: [latency.p50, latency.p99], windowMs, least: 0.1, text: (ms) => `${short(ms)} ms` }),
  new Plot({ id: "memory", title: "Memory", series: [memory], windowMs, least: 1e6, text: formatBytes }),
];

const milliseconds = (value: unknown): number | undefined => (typeof value === "number" ? value * 1_000 : undefined);

export function showOverview(stats: JsonObject, atMs: number): void {
  const number = (name: string): number => asNumber(stats[name]);
  connections.add(atMs, number("connections"));
  messages.in.add(atMs, rates.in.of(atMs, number("messages_in")));
  messages.out.add(atMs, rates.out.of(atMs, number("messages_out")));
  latency.p50.add(atMs, milliseconds(stats["publish_seconds_p50"]));
  latency.p99.add(atMs, milliseconds(stats["publish_seconds_p99"]));
  memory.add(atMs, number("resident_bytes"));
  showNumbers(stats);
  for (const plot of plots) plot.draw(atMs);
}

function showNumbers(stats: JsonObject): void {
  const count = (name: string): string => formatCount(asNumber(stats[name]));
  const texts: Record<string, string> = {
    connections: count("connections"),
    "messages-in": short(messages.in.last ?? Number.NaN),
    "messages-out": short(messages.out.last ?? Number.NaN),
    "latency-p50": short(latency.p50.last ?? Number.NaN),
    "latency-p99": short(latency.p99.last ?? Number.NaN),
    memory: formatBytes(asNumber(stats["resident_bytes"])),
    uptime: formatDuration(asNumber(stats["uptime"])),
    users: count("users"),
    channels: count("channels"),
    subscriptions: count("subscriptions"),
    "bytes-out": formatBytes(asNumber(stats["bytes_out"])),
    certificate: certificateText(stats["certificate_days_left"]),
  };
  for (const [name, text] of Object.entries(texts)) byId(`now-${name}`).textContent = text;
  byId("now-certificate").className = daysClass(stats["certificate_days_left"]);
}

const certificateText = (days: unknown): string => (typeof days === "number" ? (days < 0 ? "over" : `${days} days`) : "none");

export function daysClass(days: unknown): string {
  if (typeof days !== "number") return "";
  if (days < 0) return "days-over";
  return days <= soonDays ? "days-soon" : "days-good";
}
