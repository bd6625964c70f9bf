// What the server says besides its pages: health, security headers, errors that explain themselves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startDemo } from './support/server.mjs';

let server;
before(async () => (server = await startDemo()));
after(() => server?.stop());

const get = (path, headers = {}) => fetch(server.origin + path, { headers, redirect: 'manual' });

test('pages carry a strict content policy', async () => {
  const answer = await get('/');
  const policy = answer.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe-(inline|eval)|\*/);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.ok(answer.headers.get('referrer-policy'));
});

test('a page that is not there says so in the reader\'s language', async () => {
  for (const [lang, tag] of [['vi', 'vi'], ['en', 'en']]) {
    const answer = await get('/no/such/page', { 'accept-language': lang, accept: 'text/html' });
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), new RegExp(`<html[^>]* lang="${tag}"`));
  }
});

test('the API refuses with problem details', async () => {
  const answer = await get('/api/v1/no-such-thing', { accept: 'application/json' });
  assert.equal(answer.status, 404);
  assert.match(answer.headers.get('content-type') ?? '', /application\/problem\+json/);
});

test('the description of the API is OpenAPI 3.1', async () => {
  const api = await (await get('/api/openapi.json')).json();
  assert.match(api.openapi, /^3\.1/);
  assert.ok(Object.keys(api.paths).some((path) => path.includes('/dossiers')));
});

test('files are kept for ever, pages are not', async () => {
  const html = await (await get('/')).text();
  const [, asset] = html.match(/"(\/assets\/app\.[0-9a-f]+\.css)"/) ?? [];
  assert.ok(asset, 'the style sheet has a name with its content\'s hash');
  assert.match((await get(asset)).headers.get('cache-control') ?? '', /immutable/);
  assert.doesNotMatch((await get('/')).headers.get('cache-control') ?? '', /immutable|public/);
});

test('a stranger\'s form is refused', async () => {
  const answer = await fetch(`${server.origin}/sign-out`, { method: 'POST', redirect: 'manual', headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } });
  assert.equal(answer.status, 403);
});

test('the program prints a way in for each role', async () => {
  const { links } = server;
  for (const role of ['citizen', 'business', 'receptionist', 'specialist', 'leader', 'administrator']) {
    assert.ok(links[role], `${role} in:\n${server.output}`);
    const answer = await fetch(links[role], { redirect: 'manual' });
    assert.equal(answer.status, 200, 'a link shows a page with one button; a GET signs nobody in');
    assert.equal(answer.headers.get('set-cookie')?.includes('session') ?? false, false);
  }
});

test('it stops when told, at once', async () => {
  const other = await startDemo();
  const start = Date.now();
  assert.equal(await other.stop(), 'exit code 0');
  assert.ok(Date.now() - start < 10_000);
});
