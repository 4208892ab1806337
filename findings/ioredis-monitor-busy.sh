#!/usr/bin/env bash
# ioredis 6.0.0 (Node 20): `redis.monitor()` on a server that is in use may reject. Redis answers MONITOR with +OK and at once with
# what other clients send; where both arrive in one piece, ioredis takes the first line for the reply to a command it never sent,
# because it enters its monitoring mode only a tick later: "Command queue state error", and the connection is given up. On a quiet
# server, where the lines come later, all is well.
# A server of a few lines answers here, so that the pieces are the same each time; a busy Redis 7.0 does it now and then.
# Installs pinned packages in a temporary folder; fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ioredis@6.0.0
cat >try.mjs <<'JS'
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
const line = '+1700000000.000001 [0 127.0.0.1:5000] "set" "key" "value"\r\n';
const inOnePiece = process.argv[2] === 'one';
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (!/monitor/i.test(data.toString())) return socket.write('+OK\r\n'); // whatever the handshake asks
    if (inOnePiece) return socket.write('+OK\r\n' + line);
    socket.write('+OK\r\n');
    setTimeout(() => socket.write(line), 100);
  });
});
server.listen(0, '127.0.0.1', async () => {
  const seen = [];
  const options = { port: server.address().port, enableReadyCheck: false, disableClientInfo: true };
  const redis = new Redis(options);
  redis.on('error', () => {});
  redis.monitor().then(
    (monitor) => monitor.on('monitor', (time, args) => seen.push('seen: ' + args.join(' '))),
    (error) => seen.push('rejected: ' + error.message.split('.')[0]),
  );
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  console.log(process.argv[2], seen.join('; ') || 'nothing');
  process.exit();
});
JS
seen=$(for pieces in two one; do node try.mjs "$pieces"; done)
echo "node $(node --version), ioredis 6.0.0: the reply and the first line in two pieces, or in one"
echo "$seen"
# The output seen:
diff <(echo "$seen") - <<'SEEN'
two seen: set key value
one rejected: Command queue state error
SEEN
