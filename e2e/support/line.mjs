// The line to a node, on which answers can be kept back: whoever sent one is killed before it has arrived.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Lays a line from one port of this machine to another. While `late` is not 0, what comes back is so many milliseconds under way; it is lost
 * when the node ends meanwhile, as on a cable that is pulled.
 */
export async function layLine(from, to) {
  const open = new Set();
  const line = { late: 0, stop: () => (open.forEach((socket) => socket.destroy()), new Promise((done) => server.close(done))) };
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    let before = Promise.resolve();
    far.on('data', (part) => {
      const due = Date.now() + line.late;
      before = before.then(async () => {
        if (due > Date.now()) await wait(due - Date.now());
        if (!near.destroyed) near.write(part);
      });
    });
    near.on('data', (part) => far.write(part));
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      // What breaks on one side ends on the other.
      one.on('error', () => {});
      one.on('close', () => (open.delete(one), other.destroy()));
    }
  });
  server.listen(from, '127.0.0.1');
  await once(server, 'listening');
  return line;
}
