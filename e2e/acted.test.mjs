// What the state did by itself, and the way back: announced, done when nobody said no, seen by its person, taken back by one press, and
// undone in the registry.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { daysAhead } from './support/clock.mjs';
import { firstSignIn } from './support/officer.mjs';
import { PEOPLE, settlePeople, startKeeper } from './support/registries.mjs';
import { startServe } from './support/server.mjs';

const { mother } = PEOPLE;
const RULE = '/desk/proposals/residence-behind';
const NAME = 'Cập nhật nơi thường trú';
/** Where the population database has her, and where she has registered since. */
const [BEFORE, NOW] = ['Số 5, đường Tràng An', 'Số 21, đường Trần Phú'];
/** One more than the days in which she may say no. */
const LATER = 16;

let browser, server;
before(async () => {
  const started = await startKeeper();
  server = started.server;
  browser = await openBrowser();
  const steward = await visit(browser, server);
  await firstSignIn(steward.page, started.officers.steward);
  await settlePeople(steward.page);
  await steward.close();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const said = (page) => page.locator('main').innerText();
const press = (page, name) => Promise.all([page.waitForEvent('load'), page.locator('main').getByRole('button', { name, exact: true }).click()]);
const button = (page, name) => page.locator('main').getByRole('button', { name, exact: true });

/** Looks again until it is so: jobs do their work within moments. */
async function until(what, look) {
  for (let tries = 0; !(await look()); tries += 1) {
    assert.ok(tries < 120, what);
    await wait(250);
  }
}

const enter = async (role) => {
  const visitor = await visit(browser, server);
  await visitor.signIn(role);
  return visitor;
};

/** Opens what is proposed to her. */
async function open(page) {
  await page.goto('/my/proposals');
  await Promise.all([page.waitForEvent('load'), page.locator('main').getByRole('link', { name: NAME }).first().click()]);
}

/** What the population database says of her, as she sees it herself. */
async function held(page) {
  await page.goto('/my/records');
  return page.locator('main section', { has: page.getByRole('heading', { name: 'Cơ sở dữ liệu quốc gia về dân cư' }) }).innerText();
}

test('what was done for a person is seen, taken back by one press, and undone in the registry', async () => {
  const leader = await enter('leader');
  await leader.page.goto(RULE);
  await leader.page.locator('textarea[name=people]').fill(mother.number);
  await press(leader.page, 'Bắt đầu rà soát');
  const announced = await enter('citizen');
  await until('it is announced', async () => {
    await announced.page.goto('/my/proposals');
    return (await said(announced.page)).includes(NAME);
  });
  await open(announced.page);
  assert.match(await said(announced.page), /sau đó quý vị vẫn có thể khôi phục như trước/);
  const registered = await held(announced.page);
  assert.ok(registered.includes(BEFORE) && !registered.includes(NOW), registered);
  await announced.close();
  await leader.close();

  // She says nothing, and the days pass.
  const { data, origin, port } = server;
  await server.stop({ keep: true });
  server = await startServe({ config: await readFile(`${data}.toml`, 'utf8'), data, origin, port, env: await daysAhead(LATER) });
  const own = await enter('citizen');
  const { page } = own;
  await until('it is done', async () => {
    await open(page);
    return (await button(page, 'Khôi phục như trước').count()) === 1;
  });
  assert.match(await said(page), /Đã thực hiện lúc \d\d:\d\d ngày \d\d\/\d\d\/\d{4} · mã số \S+\. Quý vị có thể khôi phục như trước đến/);
  assert.equal(await button(page, 'Không đồng ý').count(), 0, 'it is done');
  await inspect(page, 'proposals-acted');
  const done = await held(page);
  assert.ok(done.includes(NOW) && !done.includes(BEFORE), done);

  // Nobody else can.
  await open(page);
  const mine = new URL(page.url()).pathname;
  await page.goto('/my');
  assert.ok((await page.locator(`main a[href^="${mine}"]`).count()) > 0, 'she is told of it without looking for it');
  const stranger = await enter('business');
  assert.equal((await stranger.page.goto(mine)).status(), 404);
  await stranger.close();

  await page.goto(mine);
  await press(page, 'Khôi phục như trước');
  await inspect(page, 'proposals-restoring');
  await until('the former state is back', async () => {
    await page.goto(mine);
    return /Đã khôi phục như trước/.test(await said(page));
  });
  assert.equal(await button(page, 'Khôi phục như trước').count(), 0, 'once');
  await page.locator('main details', { hasText: 'Diễn biến' }).locator('summary').click();
  await inspect(page, 'proposals-restored');
  const back = await held(page);
  assert.ok(back.includes(BEFORE) && !back.includes(NOW), back);
  await inspect(page, 'proposals-restored-record');
  await own.close();

  // The office counts it.
  const office = await enter('leader');
  await office.page.goto(RULE);
  assert.match(await office.page.locator('.mc-stat', { hasText: 'Đã khôi phục' }).innerText(), /1/);
  await office.close();
});
