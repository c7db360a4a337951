// SPDX-License-Identifier: Apache-2.0
#include "config/print.h"

#include "config/assign.h"
#include "config/keys.h"
#include "config/writing.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::server::config {
namespace {

std::string_view section_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}
std::string_view word_of(std::string_view path) {
  return path.substr(section_of(path).empty() ? 0 : section_of(path).size() + 1);
}

// In the order of their first keys.
std::vector<std::string> sections() {
  std::vector<std::string> names;
  for (const Key& key : keys()) {
    const std::string section(section_of(key.path));
    if (std::ranges::find(names, section) == names.end()) names.push_back(section);
  }
  return names;
}

bool is_listed(const std::string& proxy) {  // under proxies[]; the others stand under channel.proxy
  return proxy.find(':') == std::string::npos;
}

void put(Table& table, std::string_view path, Value value) {
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) {
    table.insert_or_assign(std::string(path), std::move(value));
    return;
  }
  Value& inner = table[std::string(path.substr(0, dot))];
  if (!std::holds_alternative<Table>(inner.data)) inner.data = Table{};
  put(std::get<Table>(inner.data), path.substr(dot + 1), std::move(value));
}

template <class Owner>
Value element(const std::string& name, Owner owner, const std::vector<Field<Owner>>& fields, bool with_secrets) {
  Table table;
  table.emplace("name", Value{name});
  for (const auto& one : fields) put(table, one.name, written(one.slot(owner), one.traits, with_secrets));
  return Value{std::move(table)};
}

List namespaces(const Settings& settings) {
  List list;
  for (const auto& [name, options] : settings.channel.namespaces)
    list.push_back(element(name, options, channel_fields(), true));
  return list;
}
List rpc_namespaces(const Settings& settings) {
  List list;
  for (const auto& [name, options] : settings.auth.rpc.namespaces)
    list.push_back(element(name, options, rpc_fields(), true));
  return list;
}
List proxies(const Settings& settings, bool with_secrets) {
  List list;
  for (const auto& [name, proxy] : settings.backend.named)
    if (is_listed(name)) list.push_back(element(name, proxy, proxy_fields(), with_secrets));
  return list;
}

std::string print_json(Settings settings, const PrintOptions& options) {
  Table root;
  for (const Key& key : keys()) put(root, key.path, written(key.slot(settings), key.traits, options.with_secrets));
  put(root, namespaces_path, Value{namespaces(settings)});
  put(root, rpc_namespaces_path, Value{rpc_namespaces(settings)});
  put(root, proxies_path, Value{proxies(settings, options.with_secrets)});
  return json_text(Value{std::move(root)}) + "\n";
}

std::string toml_elements(std::string_view path, const List& list) {
  std::string text;
  for (const Value& one : list) {
    text += fmt::format("\n[[{}]]\n", path);
    for (const auto& [name, value] : std::get<Table>(one.data))
      text += fmt::format("{} = {}\n", toml_key(name), toml_text(value));
  }
  return text;
}

std::string print_toml(Settings settings, const PrintOptions& options) {
  std::string text;
  for (const std::string& section : sections()) {
    text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    for (const Key& key : keys()) {
      if (section_of(key.path) != section) continue;
      if (options.with_comments) text += fmt::format("# {}\n", key.doc);
      const Value value = written(key.slot(settings), key.traits, options.with_secrets);
      text += fmt::format("{} = {}\n", word_of(key.path), toml_text(value));
    }
  }
  return text + toml_elements(namespaces_path, namespaces(settings)) +
         toml_elements(rpc_namespaces_path, rpc_namespaces(settings)) +
         toml_elements(proxies_path, proxies(settings, options.with_secrets));
}

// ── The manual ──────────────────────────────────────────────────────────────────────────────────────────────────────

constexpr std::string_view introduction =
    R"(<!-- Written by `fairlead config default --markdown`: change the table of keys, not this page. -->
# Configuration

One file, TOML or JSON (by its ending, `.json`), with the same keys in both. An environment variable goes before the
file, a flag before both. The name of a variable is that of the key in capitals, with `FAIRLEAD_` before it and `_` for
each dot; lists are words with spaces or commas between them or JSON, `channel.namespaces`, `rpc.namespaces` and
`proxies` are JSON.

Durations are written `500ms`, `10s`, `1m30s`, `720h`; sizes as a number of bytes, or `64KiB`, `1MiB`. An unknown key is
an error that names the nearest known one. Keys marked with *restart* are read once, at the start; all others follow
when the server is told to read its configuration again (SIGHUP). `fairlead config check FILE` says what is wrong with a
file, `fairlead config print` what the server makes of it, `fairlead config default` what it is without one.

The keys are those of Centrifugo 6 where that server knows the same thing, so its sections `client`, `channel`, `rpc`,
`proxies` and `http_api` load as they are. What it knows and this server does not is an error that says so, unless it
makes no difference.
)";

std::string row(std::string_view name, const Slot& slot, std::string_view doc, const Traits& traits) {
  const std::string standard = toml_text(written(slot, traits, true));
  return fmt::format("| `{}` | {} | `{}` | {}{} |\n", name, type_text(slot, traits), standard, doc,
                     traits.restart ? " *restart*" : "");
}

constexpr std::string_view head = "\n| key | is | default | meaning |\n|---|---|---|---|\n";

template <class Owner>
std::string element_rows(const std::vector<Field<Owner>>& fields) {
  Owner owner;
  std::string text(head);
  text += "| `name` | a string |  | Two or more of `A-Z a-z 0-9 - _ .`. |\n";
  for (const auto& one : fields) text += row(one.name, one.slot(owner), one.doc, one.traits);
  return text;
}

bool has_proxy_fields(std::string_view section) { return find_key(std::string(section) + ".breaker_pause") != nullptr; }
bool is_shown(std::string_view section) {
  // Their keys are those of `proxies[]` and of `channel.namespaces[]`, which are shown once.
  const auto inside = [&](std::string_view ending) { return section.ends_with(ending); };
  return section != "channel.without_namespace" && section != "rpc.without_namespace" && !inside(".http") &&
         !inside(".http.tls");
}

std::string section_text(const std::string& section, Settings& defaults) {
  std::string text = fmt::format("\n## `{}`\n", section);
  std::string rows;
  for (const Key& key : keys()) {
    if (section_of(key.path) != section) continue;
    const auto& fields = proxy_fields();
    const bool shared = has_proxy_fields(section) &&
                        std::ranges::find(fields, word_of(key.path), &Field<ProxySettings>::name) != fields.end();
    if (!shared) rows += row(word_of(key.path), key.slot(defaults), key.doc, key.traits);
  }
  if (!rows.empty()) text += std::string(head) + rows;
  if (has_proxy_fields(section)) text += "\nThe keys of `proxies[]`, without `name`.\n";
  return text;
}

// ── Comparing ───────────────────────────────────────────────────────────────────────────────────────────────────────

bool same(const Value& one, const Value& other) { return toml_text(one) == toml_text(other); }

}  // namespace

std::string print(const Settings& settings, const PrintOptions& options) {
  return options.format == Format::json ? print_json(settings, options) : print_toml(settings, options);
}

std::string manual_markdown() {
  Settings defaults;
  std::string text(introduction);
  for (const std::string& section : sections())
    if (is_shown(section)) text += section_text(section, defaults);
  text += "\n## `channel.without_namespace`, `channel.namespaces[]`\n" + element_rows(channel_fields());
  text += "\n`channel.without_namespace` has no `name`.\n";
  text += "\n## `rpc.without_namespace`, `rpc.namespaces[]`\n" + element_rows(rpc_fields());
  text += "\n`rpc.without_namespace` has no `name`.\n";
  text += "\n## `proxies[]`\n" + element_rows(proxy_fields());
  return text;
}

Difference diff(const Settings& before, const Settings& after) {
  Settings one = before;
  Settings other = after;
  Difference difference;
  for (const Key& key : keys()) {
    if (same(written(key.slot(one), key.traits, true), written(key.slot(other), key.traits, true))) continue;
    (key.traits.restart ? difference.needs_restart : difference.reloadable).push_back(key.path);
  }
  if (!same(Value{namespaces(before)}, Value{namespaces(after)})) difference.reloadable.emplace_back(namespaces_path);
  if (!same(Value{rpc_namespaces(before)}, Value{rpc_namespaces(after)}))
    difference.reloadable.emplace_back(rpc_namespaces_path);
  if (!same(Value{proxies(before, true)}, Value{proxies(after, true)}))
    difference.reloadable.emplace_back(proxies_path);
  return difference;
}

Settings reloaded(const Settings& running, const Settings& next) {
  Settings result = next;
  Settings source = running;
  for (const Key& key : keys()) {
    if (!key.traits.restart) continue;
    const Value value = written(key.slot(source), key.traits, true);
    (void)assign(key.slot(result), key.traits, value);
  }
  result.development = running.development;
  std::erase_if(result.backend.named, [](const auto& proxy) { return proxy.second.endpoint.empty(); });
  return result;
}

}  // namespace fairlead::server::config
