// Officers who sign in as in production: a one-time password, one of their own, an authenticator.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { run } from './server.mjs';

/** The six digits of RFC 6238 at this moment. */
export function totp(secret, at = Date.now()) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/[^A-Z2-7]/gi, '').toUpperCase()].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const start = mac[19] & 15;
  return String((mac.readUInt32BE(start) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Makes an officer by the command line of the operator, and returns the one-time password. */
export async function makeOfficer(config, { login, name, title = '', agency, roles }) {
  const who = ['--login', login, '--name', name, '--title', title, '--agency', agency];
  const { code, said } = await run('officer', '--config', config, ...who, ...roles.flatMap((role) => ['--role', role]));
  assert.equal(code, 0, said);
  return { login, name, given: said.split('\n')[0].trim() };
}

/** The first time: the password is changed, and an authenticator enrolled. */
export async function firstSignIn(page, { login, given }, password = 'cầu vồng sau cơn mưa rào') {
  const next = () => page.locator('main form[method=post] button:not([data-passkey])').last().click();
  await page.goto('/sign-in/officer');
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(given);
  await next();
  await page.waitForURL('**/sign-in/new-password');
  await page.locator('input[name=new]').fill(password);
  await page.locator('input[name=again]').fill(password);
  await next();
  await page.waitForURL('**/sign-in/enrol');
  const secret = await page.locator('main .mc-copy code, main code').first().innerText();
  await page.locator('input[name=code]').fill(totp(secret));
  await next();
  await page.locator('main ul code').first().waitFor();
}
