// Signing in as people do: with the national e-ID at its two levels, with a password and a code, with a passkey.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CLIENT, LEVELS, PEOPLE, startEid } from './support/eid.mjs';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { totp } from './support/officer.mjs';
import { freePort, startDemo, startServe } from './support/server.mjs';

let browser, eid, server;
before(async () => {
  const port = await freePort();
  // Passkeys hold for a host name, not for an address.
  const origin = `http://localhost:${port}`;
  eid = await startEid({ redirect: [`${origin}/sign-in/oidc/callback`] });
  const demo = await startDemo({ port, dossiers: 0 });
  const { data } = demo;
  await demo.stop({ keep: true });
  const acr = Object.entries(LEVELS).map(([level, value]) => `${value} = ${level}`);
  const config = `data = "${data}"
[http]
listen = "127.0.0.1:${port}"
[identity]
public_url = "${origin}"
demo = true
[identity.oidc]
issuer = "${eid.issuer}"
client_id = "${CLIENT.id}"
client_secret = "${CLIENT.secret}"
acr = { ${acr.join(', ')} }
[dossiers.agencies]
commune = "H42.28"
`;
  [browser, server] = await Promise.all([openBrowser(), startServe({ config, origin, port, data })]);
});
after(() => Promise.all([browser?.close(), server?.stop(), eid?.stop()]));

const badge = (page) => page.locator('header .mc-user');

const stranger = () => visit(browser, server, { allow: [eid.issuer] });

test('a person signs in with the e-ID and out again', async () => {
  const visitor = await stranger();
  const { page } = visitor;
  await page.goto('/sign-in');
  await inspect(page, 'sign-in');
  await page.locator('a[href^="/sign-in/oidc"]').first().click();
  await eid.choose(page, 'binh', 2);
  await page.waitForURL((url) => url.origin === server.origin);
  assert.match(await badge(page).innerText(), new RegExp(PEOPLE.binh.name));
  await page.goto('/account');
  await inspect(page, 'account');
  assert.match(await page.locator('main').innerText(), /001090012345|•+\s?2345|\*+2345/);
  await page.goto('/sign-out');
  await page.locator('main form[method=post] button').click();
  assert.equal(await badge(page).count(), 0);
  await visitor.close();
});

test('someone who refuses at the e-ID is told so and is not signed in', async () => {
  const visitor = await stranger();
  const { page } = visitor;
  await page.goto('/sign-in/oidc');
  await page.locator('button[value=refuse]').click();
  await page.waitForURL((url) => url.origin === server.origin);
  assert.equal(await badge(page).count(), 0);
  await inspect(page, 'sign-in-refused');
  await visitor.close();
});

test('the session is another after signing in: a fixed cookie is worth nothing', async () => {
  const visitor = await stranger();
  const { page, context } = visitor;
  await page.goto('/sign-in');
  await page.locator('a[href^="/sign-in/oidc"]').first().click();
  await eid.choose(page, 'hoa', 2);
  await page.waitForURL((url) => url.origin === server.origin);
  const first = await context.cookies();
  await page.goto('/sign-out');
  await page.locator('main form[method=post] button').click();
  await context.clearCookies();
  await context.addCookies(first);
  await page.goto('/');
  assert.equal(await badge(page).count(), 0, 'the old session is over at the server too');
  for (const cookie of first.filter(({ name }) => /session/.test(name))) {
    assert.ok(cookie.httpOnly && ['Lax', 'Strict'].includes(cookie.sameSite), cookie.name);
  }
  await visitor.close();
});

test('where to go afterwards is never another site', async () => {
  const visitor = await stranger();
  const { page } = visitor;
  for (const next of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    // Where anything on the page leads, and what it sends along, resolves to this very site.
    const places = await page.evaluate(() =>
      [...document.querySelectorAll('[href], [action], input[type=hidden]')].map((e) => new URL(e.href ?? e.getAttribute('action') ?? e.value, location.href).href),
    );
    assert.deepEqual(places.filter((place) => new URL(place).origin !== server.origin), [], next);
  }
  await visitor.close();
});

test('a building permit asks for level 2; a copy of a birth certificate does not', async () => {
  const visitor = await stranger();
  const { page } = visitor;
  const permit = '/apply/1.013225/start';
  const start = () => page.locator('main form[action$="/start"] button');
  await page.goto('/sign-in');
  await page.locator('a[href^="/sign-in/oidc"]').first().click();
  await eid.choose(page, 'binh', 1);
  await page.waitForURL((url) => url.origin === server.origin);

  await page.goto(permit);
  const text = await page.locator('main').innerText();
  assert.match(text, /mức độ 2 rồi đăng nhập lại bằng mức độ 2, hoặc nộp hồ sơ trực tiếp/);
  assert.equal(await start().count(), 0, 'nothing to press in vain');
  await inspect(page, 'apply-start-level-1');
  const pressed = await page.request.post(permit, { maxRedirects: 0, headers: { origin: server.origin } });
  assert.equal(pressed.status(), 403);
  assert.match(await pressed.text(), /đăng nhập lại bằng mức độ 2/);
  await page.goto('/apply/2.000635/start');
  await start().click();
  await page.waitForURL('**/drafts/**');

  // The same person, raised on the way, comes back to where they were stopped.
  await page.goto(permit);
  await page.locator('main a[href^="/sign-in/level-2"]').click();
  await inspect(page, 'sign-in-level-2');
  await page.locator('main a[href^="/sign-in/oidc?level=2"]').click();
  await eid.choose(page, 'binh', 2);
  await page.waitForURL(`**${permit}`);
  await start().click();
  await page.waitForURL('**/drafts/**');
  await visitor.close();
});

test('an officer: added by the administrator, password, authenticator, code, passkey', async () => {
  const admin = await stranger();
  await admin.signIn('administrator');
  await admin.page.goto('/admin/officers/new');
  await admin.page.locator('main form button[type=submit], main form button:not([type])').first().click();
  await inspect(admin.page, 'officer-new-refused');
  const agency = await readAgency(admin.page);
  await admin.page.goto('/admin/officers/new');
  await admin.page.locator('input[name=login]').fill('le.thi.mai');
  await admin.page.locator('input[name=name]').fill('Lê Thị Mai');
  await admin.page.locator('input[name=title]').fill('Chuyên viên');
  await admin.page.locator('input[name=agency]').fill(agency);
  await admin.page.locator('input[name=roles][value=specialist]').check();
  await admin.page.locator('main form button').first().click();
  const given = (await admin.page.locator('main .mc-copy code, main code').first().innerText()).trim();
  await admin.close();

  const officer = await stranger();
  const { page, context } = officer;
  const next = () => page.locator('main form[method=post] button:not([data-passkey])').last().click();
  await page.goto('/sign-in/officer');
  await inspect(page, 'sign-in-officer');
  await page.locator('input[name=login]').fill('le.thi.mai');
  await page.locator('input[name=password]').fill('not the password');
  await next();
  await inspect(page, 'sign-in-officer-refused');
  await page.locator('input[name=password]').fill(given);
  await next();
  await page.waitForURL('**/sign-in/new-password');
  await page.locator('input[name=new]').fill('cầu vồng sau cơn mưa rào');
  await page.locator('input[name=again]').fill('cầu vồng sau cơn mưa rào');
  await next();
  await page.waitForURL('**/sign-in/enrol');
  await inspect(page, 'sign-in-enrol');
  const secret = await page.locator('main .mc-copy code, main code').first().innerText();
  await page.locator('input[name=code]').fill(totp(secret));
  await next();
  await inspect(page, 'sign-in-recovery-codes');
  const recovery = (await page.locator('main ul code').first().innerText()).trim();
  await page.goto('/account');
  assert.match(await badge(page).innerText(), /Lê Thị Mai/);

  // The passkey of a made-up authenticator.
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto('/account/security');
  await page.locator('input[name=label]').fill('Máy tính ở cơ quan');
  // The page comes anew when the passkey is there: before that, nothing on it is to be looked at.
  await Promise.all([page.waitForEvent('load'), page.locator('[data-passkey=register] button').click()]);
  await page.getByText('Máy tính ở cơ quan', { exact: true }).waitFor();
  await inspect(page, 'account-security');
  await signOut(page);
  await page.goto('/sign-in/officer');
  await page.locator('[data-passkey=sign-in] button').click();
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
  assert.match(await badge(page).innerText(), /Lê Thị Mai/);
  await signOut(page);

  // Without the telephone: a recovery code, once.
  for (const good of [true, false]) {
    await page.goto('/sign-in/officer');
    await page.locator('input[name=login]').fill('le.thi.mai');
    await page.locator('input[name=password]').fill('cầu vồng sau cơn mưa rào');
    await next();
    await page.waitForURL('**/sign-in/code');
    await page.locator('input[name=code]').fill(recovery);
    await next();
    if (good) {
      await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
      await signOut(page);
    } else {
      assert.match(page.url(), /\/sign-in\/code/);
      assert.equal(await badge(page).count(), 0, 'a recovery code works once');
    }
  }
  await officer.close();
});

async function signOut(page) {
  await page.goto('/sign-out');
  await page.locator('main form[method=post] button').click();
  assert.equal(await badge(page).count(), 0);
}

/** The agency of the administrator, as the list of officers shows it. */
async function readAgency(page) {
  await page.goto('/admin/officers');
  return (await page.locator('td[data-label="Cơ quan"]').first().innerText()).trim();
}
