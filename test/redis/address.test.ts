/** Where Redis is, as people write it. */
import t from 'tap';
import { parseAddress } from '../../src/redis/address.ts';
import { Queue } from '../../src/index.ts';

const SECRET = 'S3CRET-CANARY';

void t.test('of one server: left to ioredis', async (t) => {
  for (const url of [
    'redis://h:1/2',
    `rediss://u:${SECRET}@h`,
    'unix:///tmp/s',
    '/tmp/s',
    '/tmp/s?db=2',
  ]) {
    t.same(parseAddress(url), { kind: 'server', url });
  }
});

void t.test('of a cluster, and of sentinels', async (t) => {
  t.same(parseAddress('redis+cluster://a:7000,b,[::1]:7002'), {
    kind: 'cluster',
    hosts: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 6379 },
      { host: '::1', port: 7002 },
    ],
    options: {},
  });
  t.same(parseAddress('rediss+cluster://me:p%40ss%2F@a/'), {
    kind: 'cluster',
    hosts: [{ host: 'a', port: 6379 }],
    options: { username: 'me', password: 'p@ss/', tls: {} },
  });
  t.same(parseAddress(`redis+sentinel://:${SECRET}@a,b:1/mymaster/3`), {
    kind: 'sentinel',
    options: {
      password: SECRET,
      sentinels: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 1 },
      ],
      name: 'mymaster',
      db: 3,
    },
  });
  t.match(parseAddress('rediss+sentinel://a/m'), {
    options: { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true, db: 0 },
  });
});

void t.test('anything else is refused in words that help and tell no password', async (t) => {
  for (const [url, why] of [
    ['localhost:6379', /is no Redis URL; give e\.g\. 'redis:\/\/127\.0\.0\.1:6379'/],
    ['http://a', /is no Redis URL/],
    ['redis+sentinels://a/m', /is no Redis URL/],
    [
      'redis://a/mydb',
      /has a database that is no number; give e\.g\. 'redis:\/\/127\.0\.0\.1:6379\/0'/,
    ],
    [`rediss://u:${SECRET}@a/7up`, /has a database that is no number/],
    ['unix:///tmp/s?db=mine', /has a database that is no number/],
    ['/tmp/s?db=mine', /has a database that is no number/],
    ['redis+cluster://', /is no address; give e\.g\. 'redis\+cluster:\/\/host1:6379,host2:6379'/],
    ['redis+cluster://a,,b', /is no address/],
    ['redis+cluster://a:99999', /is no address/],
    [`redis+cluster://u:${SECRET}%@a`, /is no address/],
    ['redis+cluster://a/0', /names a database; a cluster has only one/],
    ['redis+cluster://a?tls=true', /has options, which only the URL of a single server can have/],
    [`redis+sentinel://:${SECRET}@a`, /doesn't name the master; give e\.g\. 'redis\+sentinel/],
    ['redis+sentinel://a/m/x', /doesn't name the master/],
    ['redis+sentinel://a/m/1/2', /doesn't name the master/],
  ] as const) {
    const error = t.throws(() => new Queue('a', { redis: url }), { code: 'INVALID_ARGUMENT' });
    const message = String((error as Error | undefined)?.message);
    t.match(message, why);
    t.notMatch(message, SECRET);
  }
});

/** Where people put a password that minq can't read as one. */
const MISPLACED = [
  `${SECRET}@host:6379`, `user:${SECRET}@host`, SECRET, `host:6379,password=${SECRET}`, `host:6379,${SECRET}`,
  `http://host?password=${SECRET}`, `http://u:${SECRET}@host`, `http://host/?user=a,${SECRET}`, `http://host/#${SECRET}`,
  `redis://u:${SECRET}/x@host:6379`, `redis://u:${SECRET}?x@host:6379`, `redis://u:${SECRET}#x@host:6379`,
  `redis://u:x/${SECRET}@host:6379`, `redis://u:12/${SECRET}@host`, `redis://u:12?${SECRET}@host`, `redis://u:12#${SECRET}@host`,
  `redis://${SECRET}/x@host`, `redis://${SECRET}#x@host`, `redis://host/x?password=${SECRET}`,
  `redis+cluster://u:a/${SECRET}@h1,h2`, `redis+cluster://h1/${SECRET}`, `redis+cluster://h1?password=${SECRET}`,
  `redis+sentinel://h1,h2/m/x/${SECRET}`, `redis+sentinel://u:${SECRET}%@h1/m`, `REDIS://u:${SECRET}@host`,
] as const; // prettier-ignore

void t.test(
  'no password shows, wherever it stands in an address that can not be used',
  async (t) => {
    for (const url of MISPLACED) {
      const error = t.throws(
        () => new Queue('a', { redis: url }),
        { code: 'INVALID_ARGUMENT' },
        url,
      );
      t.notMatch(String((error as Error | undefined)?.message), SECRET, url);
    }
  },
);

void t.test('of an address that can not be used, scheme, host and port are shown where they are sure', async (t) => {
  for (const [url, shown] of [
    [`redis://u:${SECRET}@host:6380/mydb`, 'redis: "redis://host:6380" has'],
    ['http://a', 'redis: "http://a" is'],
    [`redis://u:12/${SECRET}@host`, 'redis: "redis://..." has'],
    [`${SECRET}@host`, 'redis: the text given is'],
  ] as const) {
    t.throws(() => new Queue('a', { redis: url }), { message: new RegExp(`^${shown.replaceAll('.', '\\.')}`) });
  }
}); // prettier-ignore

void t.test('options that name no database are refused', async (t) => {
  for (const db of [Number('mine'), -1, 1.5]) {
    t.throws(() => new Queue('a', { redis: { db } }), {
      message: /^redis: db .* is no database; give a number from 0/,
    });
  }
});
