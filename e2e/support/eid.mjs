// A national e-ID for tests: a real OpenID provider on loopback, with people of invented data and two levels of assurance.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import Provider from 'oidc-provider';

/** People known to this e-ID. */
export const PEOPLE = {
  binh: {
    name: 'Nguyễn Văn Bình',
    birthdate: '1990-02-14',
    gender: 'male',
    phone_number: '+84912345678',
    email: 'binh@example.vn',
    personal_identification_number: '001090012345',
  },
  hoa: {
    name: 'Trần Thị Hoà',
    birthdate: '1988-07-30',
    gender: 'female',
    phone_number: '+84987654321',
    email: 'hoa@example.vn',
    personal_identification_number: '001188054321',
    organization_tax_code: '0100109106',
    organization_name: 'Công ty TNHH Thử nghiệm',
  },
};

/** How the program is known here: as `motcua demo --oidc` says it. */
export const CLIENT = { id: 'motcua', secret: 'motcua-demo-secret' };

/** The two levels as `acr` values; the program under test is told what they mean. */
export const LEVELS = { 1: 'level1', 2: 'level2' };

/** Starts it. `redirect` is the address to which people are sent back. */
export async function startEid({ redirect, people = PEOPLE }) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const issuer = `http://127.0.0.1:${http.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [].concat(redirect), response_types: ['code'] }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'test' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    acrValues: Object.values(LEVELS),
    claims: {
      openid: ['sub', 'personal_identification_number', 'organization_tax_code', 'organization_name'],
      profile: ['name', 'birthdate', 'gender'],
      phone: ['phone_number'],
      email: ['email'],
    },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile phone email');
      await grant.save();
      return grant;
    },
  });
  const seen = [];
  const answer = provider.callback();
  http.on('request', async (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    try {
      await provider.interactionDetails(request, response);
      if (request.method === 'GET') return response.setHeader('content-type', 'text/html; charset=utf-8').end(choice(people));
      const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
      const refused = form.get('person') === 'refuse';
      const result = refused
        ? { error: 'access_denied', error_description: 'the person refused' }
        : { login: { accountId: form.get('person'), acr: LEVELS[form.get('level')], remember: false } };
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    } catch (error) {
      response.statusCode = 400;
      response.end(String(error));
    }
  });
  return {
    issuer,
    seen,
    /** On the page of the e-ID: who signs in, and at which level. */
    async choose(page, person, level) {
      await page.waitForURL((url) => url.origin === issuer);
      await page.locator(`input[name=level][value="${level}"]`).check();
      await page.locator(`button[value=${person}]`).click();
    },
    stop: () => new Promise((resolve) => (http.closeAllConnections(), http.close(resolve))),
  };
}

function choice(people) {
  const levels = Object.keys(LEVELS).map((n) => `<label><input type="radio" name="level" value="${n}"> Mức độ ${n}</label>`);
  const buttons = Object.entries(people).map(([id, { name }]) => `<button name="person" value="${id}">${name}</button>`);
  return `<!doctype html><html lang="vi"><title>Định danh (thử nghiệm)</title><form method="post"><p>${levels.join(' ')}</p>
<p>${buttons.join(' ')} <button name="person" value="refuse">Từ chối</button></p></form></html>`;
}
