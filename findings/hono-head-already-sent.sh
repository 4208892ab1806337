#!/usr/bin/env bash
# hono 4.13.19 with @hono/node-server 2.1.8 (Node 20): a route that answers on Node's own response and returns
# RESPONSE_ALREADY_SENT, as documented, works for GET and POST. For HEAD, hono makes a new Response out of the one that was
# returned; the mark that says "sent" has no effect there, the adapter writes a second head, and ERR_HTTP_HEADERS_SENT is
# logged, once for each such request. The client gets the right answer.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund hono@4.13.19 @hono/node-server@2.1.8
cat >try.mjs <<'JS'
import { createAdaptorServer } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
let logged = [];
console.error = (error) => logged.push(error.code);
const app = new Hono();
app.all('/own', ({ env: { outgoing } }) => {
  outgoing.writeHead(200, { 'Content-Type': 'text/plain' });
  outgoing.end('own');
  return RESPONSE_ALREADY_SENT;
});
const server = createAdaptorServer(app);
server.listen(0, '127.0.0.1', async () => {
  for (const method of ['GET', 'POST', 'HEAD']) {
    logged = [];
    const reply = await fetch(`http://127.0.0.1:${server.address().port}/own`, { method });
    const text = await reply.text();
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log(method, reply.status, JSON.stringify(text), 'logged:', logged.join() || 'nothing');
  }
  server.close();
});
JS
seen=$(node try.mjs)
echo "node $(node --version), hono 4.13.19, @hono/node-server 2.1.8"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
GET 200 "own" logged: nothing
POST 200 "own" logged: nothing
HEAD 200 "" logged: ERR_HTTP_HEADERS_SENT
SEEN
