// SPDX-License-Identifier: Apache-2.0
// Where the SDK's cases run: in a page. It has the sockets; servers, backends and files are asked of the site that the
// page came from (site.js). The same names as in tests/sdk/platform.mjs.

async function ask(call) {
  const answer = await fetch("/control", { method: "POST", body: JSON.stringify(call) });
  const { value, error } = await answer.json();
  if (error !== undefined) throw new Error(error);
  return value;
}

export async function startServer(config, options) {
  const client = { ...config.client, allowed_origins: [location.origin] }; // each server is another origin
  const { id, url } = await ask({ what: "start", config: { ...config, client }, options });
  return { url, errors: () => ask({ what: "errors", id }), end: (signal) => ask({ what: "end", id, signal }) };
}

export async function startBackend(answer) {
  const { id, url } = await ask({ what: "backend" });
  void answerQuestions(id, answer);
  return url;
}

// Each question is waited for at the site; the case's end is the end of the questions.
async function answerQuestions(id, answer) {
  for (;;) {
    const question = await ask({ what: "question", id });
    if (!question) return;
    void answer(question).then((body) => ask({ what: "answer", number: question.number, body }));
  }
}

export const endAll = () => ask({ what: "endAll" });
export const post = (url, headers, body) => ask({ what: "post", url, headers, body });
export const sockets = {};
