/** Answers each line, a number of milliseconds, with a line after that time. Says its port to its parent and ends with it. */
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  createInterface(socket).on('line', (ms) => setTimeout(() => socket.write('ok\n'), Number(ms)));
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
