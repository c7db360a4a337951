# SPDX-License-Identifier: Apache-2.0
# The chat's backend beside ./dev run. Without it the chat works too, with pictures that fit into a message.

random_word() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# start_chat_backend PORT-OF-THE-SERVER: tells the server by its environment whom to ask. The backend ends when this
# process does, whatever it has become by then: it holds the backend's standard input.
start_chat_backend() {
  local port=$1 key signature log=build/chat-backend.log ca endpoint='' tries
  command -v python3 >/dev/null || {
    note "python3 is missing: the chat runs without its backend"
    return 0
  }
  build/release/fairlead cert dev >/dev/null
  ca=${XDG_DATA_HOME:-$HOME/.local/share}/fairlead/ca.pem
  key=$(random_word) signature=$(random_word)
  : >"$log"
  exec {chat_backend}> >(
    CHAT_API_KEY=$key CHAT_SIGNING_SECRET=$signature exec python3 examples/chat/backend.py --until-eof \
      --listen 127.0.0.1:0 --api "https://localhost:$port/api" --ca "$ca" --database build/chat-backend.db >"$log" 2>&1
  )
  for ((tries = 0; tries < 50; tries += 1)); do
    endpoint=$(sed -n 's/^listening on //p' "$log")
    [[ -n $endpoint ]] && break
    sleep 0.1
  done
  [[ -n $endpoint ]] || {
    note "the chat's backend did not start ($log says why): the chat runs without it"
    return 0
  }
  note "the chat's backend listens on $endpoint"
  export FAIRLEAD_HTTP_API_KEY=$key FAIRLEAD_RPC_PROXY_SIGNING_SECRET=$signature
  export FAIRLEAD_RPC_PROXY_ENDPOINT=$endpoint FAIRLEAD_RPC_PROXY_TIMEOUT=5s FAIRLEAD_RPC_WITHOUT_NAMESPACE_PROXY_ENABLED=true
  export FAIRLEAD_ATTACHMENTS_ENABLED=true
}
