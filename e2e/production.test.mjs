// Production as an operator meets it: migrate, serve with TLS, logs for programs, figures for Prometheus, a stop that loses nothing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { ask, freePort, run, startServe } from './support/server.mjs';

let folder, port, figures, config, ca, server;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motcua-production-'));
  [port, figures] = [await freePort(), await freePort()];
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
  ]);
  ca = await readFile(certificate);
  config = `data = "${join(folder, 'data')}"
[http]
listen = "127.0.0.1:${port}"
certificate = "${certificate}"
key = "${key}"
metrics = "127.0.0.1:${figures}"
[identity]
public_url = "https://localhost:${port}"
`;
  await writeFile(join(folder, 'motcua.toml'), config);
});
after(async () => {
  await server?.stop({ keep: true });
  await rm(folder, { recursive: true, force: true });
});

const get = (path, options = {}) => ask(`https://localhost:${port}${path}`, { ca, ...options });

test('a database without tables is not served, and the operator is told what to do', async () => {
  const { code, said } = await run('serve', '--config', join(folder, 'motcua.toml'));
  assert.notEqual(code, 0);
  assert.match(said, /motcua migrate/);
});

test('a configuration with an unknown key is refused with its place', async () => {
  const file = join(folder, 'wrong.toml');
  await writeFile(file, config.replace('metrics =', 'metricks ='));
  const { code, said } = await run('serve', '--config', file);
  assert.notEqual(code, 0);
  assert.match(said, /metricks/);
  assert.match(said, /line 6/);
});

test('migrate makes the tables, and a second time changes nothing', async () => {
  const first = await run('migrate', '--config', join(folder, 'motcua.toml'));
  assert.equal(first.code, 0, first.said);
  assert.match(first.said, /migrated/);
  const second = await run('migrate', '--config', join(folder, 'motcua.toml'));
  assert.equal(second.code, 0, second.said);
  assert.match(second.said, /up to date/);
});

test('TLS, from 1.2 on; cookies bound to the host; no plain HTTP on that port', async () => {
  server = await startServe({ config, origin: `https://localhost:${port}`, port, data: join(folder, 'data'), args: ['--log', 'json'], ca });
  const page = await get('/sign-in');
  assert.equal(page.status, 200);
  assert.match(page.headers['strict-transport-security'] ?? '', /max-age=\d{7,}/);
  for (const cookie of page.headers['set-cookie'] ?? []) assert.match(cookie, /^__Host-.*; *Secure/i);
  assert.equal((await get('/healthz', { minVersion: 'TLSv1.3' })).status, 200);
  await assert.rejects(get('/healthz', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }));
  await assert.rejects(ask(`https://localhost:${port}/healthz`), /self-signed|unable to verify/, 'the test would see a wrong certificate');
  await assert.rejects(ask(`http://127.0.0.1:${port}/healthz`));
  assert.equal((await get('/healthz')).status, 200, 'and still serves');
});

test('no one-click sign-in, no figures in public', async () => {
  for (const [path, options] of [
    ['/sign-in/demo/leader?key=x', {}],
    ['/sign-in/demo', { method: 'POST', body: 'role=leader', headers: { 'content-type': 'application/x-www-form-urlencoded', origin: `https://localhost:${port}` } }],
  ]) {
    const { status, headers } = await get(path, options);
    assert.ok(status === 404 || status === 403, `${path}: ${status}`);
    assert.equal(headers['set-cookie']?.some((cookie) => cookie.includes('mc_session=')) ?? false, false);
  }
  assert.doesNotMatch((await get('/sign-in')).text, /sign-in\/demo/);
  assert.equal((await get('/metrics')).status, 404);
});

test('figures for Prometheus at an address of their own', async () => {
  const { status, headers, text } = await ask(`http://127.0.0.1:${figures}/metrics`);
  assert.equal(status, 200);
  assert.match(headers['content-type'], /openmetrics-text/);
  assert.match(text, /motcua_http_requests_total\{route="\/sign-in",method="GET",status="200"\} \d/);
  assert.match(text, /motcua_http_request_seconds_bucket/);
});

test('logs are lines of JSON, and hold no address with a code', async () => {
  await get('/track/H42.28-261121-0001?k=1234-5678-9abc-def0');
  const lines = server.output.trim().split('\n');
  const events = lines.map((line) => JSON.parse(line));
  assert.ok(events.some(({ fields }) => /serving/.test(fields?.message)));
  assert.doesNotMatch(server.output, /9abc-def0/);
});

test('asked to stop, it finishes what it began and takes no more', async () => {
  const body = JSON.stringify({ broken: 'form' });
  const socket = connect({ port, host: 'localhost', servername: 'localhost', ca });
  await once(socket, 'secureConnect');
  let said = '';
  socket.setEncoding('utf8').on('data', (part) => (said += part));
  const closed = once(socket, 'close');
  socket.write(`POST /api/v1/dossiers HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const ended = server.stop({ keep: true });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await assert.rejects(get('/healthz', { timeout: 2_000 }), 'no new visitors');
  socket.write(body.slice(5));
  await closed;
  assert.match(said, /^HTTP\/1\.1 422 /, 'the request under way is answered');
  assert.equal(await ended, 'exit code 0');
});
