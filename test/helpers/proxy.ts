/**
 * A TCP proxy between minq and Redis that can be told to fail as networks do. Bytes never overtake each
 * other: one queue per direction. And as on a real connection, once bytes are lost the rest of that direction
 * is lost too: a link that was cut off stays so until somebody closes it, however well new links fare.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

type Direction = 'requests' | 'replies';

/** Which message is to be lost: the first one whose bytes contain the text. */
export interface Cut {
  /** Lose this request: Redis never sees it. */
  request?: string;
  /** Let this request through, and lose the reply to it. */
  replyTo?: string;
  /** Lose the reply that contains this. */
  reply?: string;
}

export interface Proxy {
  readonly port: number;
  readonly url: string;
  /** Every chunk is held back for this long, in order. */
  latencyMs: number;
  /** What is swallowed from now on, without anything being closed. `[]`: nothing, on links that lost nothing yet. */
  swallow: readonly Direction[];
  /** A link on which nothing was said for so long is closed, as HAProxy's timeouts do; 0: never. */
  idleMs: number;
  /** Applied to what Redis says. */
  rewrite: (reply: string) => string;
  readonly links: number;
  /** Links that have lost something. */
  readonly cutOff: number;
  /** Loses one message and resets its link at that moment. Resolves when that has happened. */
  cut(what: Cut): Promise<void>;
  /** Resets (RST) all links. */
  reset(): void;
  /** Refuses new connections, and resets those there are. */
  refuse(): Promise<void>;
  /** Takes connections again. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

interface Link {
  client: Socket;
  server: Socket;
  lost: Set<Direction>;
  idle?: NodeJS.Timeout | undefined;
  /** The reply that comes next on this link is to be lost. */
  condemned?: (() => void) | undefined;
}

export async function startProxy(redisPort: number): Promise<Proxy> {
  const links = new Set<Link>();
  let cut: { what: Cut; done: () => void } | undefined;

  const end = (link: Link) => {
    links.delete(link);
    drop(link.client);
    drop(link.server);
  };

  /** @returns whether the chunk is lost, and its link with it */
  const isLost = (link: Link, direction: Direction, text: string): boolean => {
    if (direction === 'replies' && link.condemned && !text.startsWith('-NOSCRIPT')) {
      link.condemned();
      return true;
    }
    if (!cut) return false;
    const { what, done } = cut;
    const match = (part: string | undefined) => part !== undefined && text.includes(part);
    if (direction === 'requests' && match(what.replyTo)) {
      link.condemned = done;
      cut = undefined;
      return false;
    }
    if (!match(direction === 'requests' ? what.request : what.reply)) return false;
    cut = undefined;
    done();
    return true;
  };

  const said = (link: Link) => {
    clearTimeout(link.idle);
    if (proxy.idleMs > 0)
      link.idle = setTimeout(() => link.client.end() && link.server.end(), proxy.idleMs);
  };

  const pump = (link: Link, direction: Direction, from: Socket, to: Socket) => {
    let last: Promise<void> = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      const arrived = performance.now();
      said(link);
      last = last.then(async () => {
        const rest = arrived + proxy.latencyMs - performance.now();
        if (proxy.latencyMs > 0 && rest > 0) await new Promise((r) => setTimeout(r, rest));
        if (isLost(link, direction, chunk.toString('latin1'))) return end(link);
        if (proxy.swallow.includes(direction)) link.lost.add(direction);
        if (link.lost.has(direction) || to.destroyed) return;
        const text = chunk.toString('latin1');
        to.write(direction === 'replies' ? Buffer.from(proxy.rewrite(text), 'latin1') : chunk);
      });
    });
    from.on('error', () => {});
    from.on('close', () => {
      clearTimeout(link.idle);
      links.delete(link);
      void last.then(() => to.destroy());
    });
  };

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: redisPort, host: '127.0.0.1', noDelay: true });
    const link: Link = { client, server: upstream, lost: new Set() };
    links.add(link);
    pump(link, 'requests', client, upstream);
    pump(link, 'replies', upstream, client);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const reset = () => {
    for (const link of links) end(link);
  };
  const refuse = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    reset();
    await closed;
  };
  const proxy: Proxy = {
    port,
    url: `redis://127.0.0.1:${port}`,
    latencyMs: 0,
    idleMs: 0,
    swallow: [],
    rewrite: (text) => text,
    get links() {
      return links.size;
    },
    get cutOff() {
      return [...links].filter(({ lost }) => lost.size > 0).length;
    },
    cut: (what) =>
      new Promise((resolve) => {
        cut = { what, done: resolve };
      }),
    reset,
    refuse,
    accept: () => listen(port),
    close: refuse,
  };
  return proxy;
}

/** A socket that is just shutting down can't be reset: Node would leave it open, and its process could never end. */
function drop(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
