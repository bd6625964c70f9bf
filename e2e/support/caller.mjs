// Somebody who calls a node without a browser, in a session like that of a browser.
import assert from 'node:assert/strict';
import { ask } from './server.mjs';

/** Signs in by a role of the demonstration at a site (`nation.site(folder)`). What is answered otherwise than as expected fails the test. */
export async function enter({ origin, local }, role) {
  const own = { host: new URL(origin).host, origin };
  const form = { ...own, 'content-type': 'application/x-www-form-urlencoded' };
  const entered = await ask(`${local}/sign-in/demo`, { method: 'POST', headers: form, body: `role=${role}` });
  assert.equal(entered.status, 303, entered.text);
  const cookie = (entered.headers['set-cookie'] ?? []).map((one) => one.split(';')[0]).join('; ');
  /** One call, whatever is answered. */
  const send = (method, path, { headers = {}, body } = {}) => {
    const typed = body === undefined ? {} : { 'content-type': 'application/json' };
    return ask(`${local}${path}`, { method, headers: { ...own, cookie, ...typed, ...headers }, body: body && JSON.stringify(body) });
  };
  const call = async (method, path, options) => {
    const answer = await send(method, path, options);
    assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
    return answer.text;
  };
  return {
    send,
    /** A page, as text. */
    page: (path) => call('GET', path),
    /** What the JSON API answers. */
    get: async (path, headers) => JSON.parse(await call('GET', path, { headers })),
    post: async (path, body) => JSON.parse(await call('POST', path, { body })),
  };
}
