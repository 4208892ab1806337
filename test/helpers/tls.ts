/** A Redis that speaks TLS on a second port, with a certificate that nobody but itself has signed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, startRedis, type TestRedis } from './redis.ts';

export interface TlsRedis {
  readonly redis: TestRedis;
  readonly tlsPort: number;
  /** `rediss://...` */
  readonly url: string;
  /** File of the certificate. */
  readonly certificate: string;
  stop(): Promise<void>;
}

export async function startTlsRedis(): Promise<TlsRedis> {
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-tls-'));
  const { certificate, key } = makeCertificate(folder, 'server');
  const tlsPort = await freePort();
  const redis = await startRedis([
    '--tls-port',
    String(tlsPort),
    '--tls-auth-clients',
    'no',
    '--tls-cert-file',
    certificate,
    '--tls-key-file',
    key,
    '--tls-ca-cert-file',
    certificate,
  ]);
  return {
    redis,
    tlsPort,
    url: `rediss://127.0.0.1:${tlsPort}`,
    certificate,
    async stop() {
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Self-signed, for this machine, for a day. */
export function makeCertificate(
  folder: string,
  name: string,
): { certificate: string; key: string } {
  const certificate = path.join(folder, `${name}.crt`);
  const key = path.join(folder, `${name}.key`);
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      '-days',
      '1',
      '-subj',
      `/CN=minq test ${name}`,
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:localhost',
    ],
    { stdio: 'ignore' },
  );
  return { certificate, key };
}
