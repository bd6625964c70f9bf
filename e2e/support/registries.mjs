// A node that keeps registries itself, with a few people in them: some records are wrong, two may be of one person, somebody has moved.
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeOfficer } from './officer.mjs';
import { freePort, startDemo, startServe } from './server.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = (of) => readdirSync(`${root}${of}`).map((name) => `${root}${of}/${name}`);

/** The agency that keeps the registries. */
export const KEEPER = 'G01';

/** Who works at it: two stewards, and one who only reads. */
const OFFICERS = {
  steward: { login: 'quanly', name: 'Phạm Quang Huy', title: 'Quản lý dữ liệu dân cư', roles: ['steward'] },
  colleague: { login: 'quanly2', name: 'Đỗ Thu Thuỷ', title: 'Quản lý dữ liệu dân cư', roles: ['steward'] },
  reader: { login: 'khaithac', name: 'Lê Minh Đức', title: 'Cán bộ khai thác dữ liệu', roles: ['reader'] },
};

/** Starts it. `officers` have a login, a name and a one-time password each. */
export async function startKeeper() {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const demo = await startDemo({ port, dossiers: 0 });
  const { data } = demo;
  await demo.stop({ keep: true });
  const kept = ['civil-status', 'population', 'residence', 'social-insurance'].map((code) => `${root}registries/${code}`);
  const questions = ['birth-not-registered', 'entitled-not-asked', 'no-permanent-residence', 'residence-behind', 'social-pension-not-asked'].map((code) => `${root}questions/${code}`);
  const config = `data = "${data}"
registries = ${JSON.stringify(kept)}
questions = ${JSON.stringify(questions)}
proposals = ${JSON.stringify(folders('proposals'))}
[http]
listen = "127.0.0.1:${port}"
[site]
agency = { vi = "Bộ Công an", en = "Ministry of Public Security" }
[identity]
public_url = "${origin}"
demo = true
[dossiers]
place = "Hoa Lư"
[dossiers.agencies]
commune = "H42.28"
province = "H42.28"
ministry = "H42.28"
agency = "H42.28"
`;
  const file = `${data}.toml`;
  writeFileSync(file, config);
  const officers = {};
  for (const [role, officer] of Object.entries(OFFICERS)) officers[role] = await makeOfficer(file, { agency: KEEPER, ...officer });
  const server = await startServe({ config, origin, port, data });
  return { server, officers };
}

const day = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);

/** A child of 100 days. */
const BORN = day(100);

/** Whom the registries know, by what each is for in the test. Invented; the first two sign in. */
export const PEOPLE = {
  mother: { number: '037190001234', name: 'Nguyễn Thị Hương' },
  homeless: { number: '037085005678', name: 'Đinh Văn Long' },
  child: { number: `03732${BORN[3]}000017`, name: 'Trần Gia Hân', born: BORN.split('-').reverse().join('/') },
  misspelt: { number: '037088000021', name: 'lê  văn hùng', right: 'Lê Văn Hùng' },
  moved: { number: '001191000022', name: 'Vũ Thị Lan' },
  unclear: { number: '001075000024', name: 'Bùi Văn Sơn' },
  twins: [
    { number: '001180000011', name: 'Nguyễn Thị Hường' },
    { number: '001180000012', name: 'Nguyễn Thị Hường' },
  ],
};

const home = (province, commune, detail) => ({ province, commune, detail });
const citizen = ({ number, name }, birth_date, sex, more = {}) => ({ person_number: number, name, birth_date, sex, nationality: 'VN', status: 'alive', ...more });

/** What is written to each registry before the test begins. */
function records() {
  const { mother, homeless, child, misspelt, moved, unclear, twins } = PEOPLE;
  const here = home('37', '14329', 'Số 5, đường Tràng An');
  const population = [
    citizen(mother, '1990-05-12', 'female', { ethnicity: '01', residence: here }),
    citizen(homeless, '1985-09-30', 'male', { ethnicity: '01' }),
    citizen(child, BORN, 'female', { ethnicity: '01', mother_person_number: mother.number, residence: here }),
    citizen(misspelt, '1988-02-14', 'male', { residence: home('37', '14329', 'Số 18, phố Lê Đại Hành') }),
    // A commune that has become another, and one that was divided.
    citizen(moved, '1991-07-20', 'female', { residence: home('01', '00006', 'Số 3, phố Hàng Bún') }),
    citizen(unclear, '1975', 'male', { residence: home('01', '00007', 'Số 44, phố Cổng Vị') }),
    ...twins.map((twin, n) => citizen(twin, '1980-03-05', 'female', { residence: home('01', '00004', `Số ${7 + n}, phố Quán Thánh`) })),
    // More than one page of what nobody has looked at.
    ...Array.from({ length: 28 }, (_, n) =>
      citizen({ number: `0370${60 + n}0001${String(n).padStart(2, '0')}`, name: `Phạm Văn ${'ABCDEFGHIKLMNOPQRSTUVXY'[n % 23]}` }, `19${60 + n}-01-15`, 'male'),
    ),
  ];
  const residence = [
    {
      ...{ person_number: mother.number, name: mother.name, kind: 'permanent', household: '13285-000123', head_person_number: mother.number },
      ...{ relation_to_head: 'head', address: home('37', '13285', 'Số 21, đường Trần Phú'), since: day(40) },
    },
  ];
  return { population, residence };
}

/** Writes them, as the steward who is signed in on this page. */
export async function settlePeople(page) {
  const written = await page.evaluate(async ([records, since]) => {
    const wrong = [];
    for (const [registry, bodies] of Object.entries(records)) {
      for (const body of bodies) {
        const answer = await fetch(`/api/v1/registries/${registry}/records`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'Idempotency-Key': `${registry} ${body.person_number}` },
          body: JSON.stringify({ valid_from: body.residence?.province === '01' ? '2025-03-01' : since, body, source: 'Sổ hộ khẩu số hoá' }),
        });
        if (answer.status !== 201) wrong.push(`${registry} ${body.person_number}: ${answer.status} ${await answer.text()}`);
      }
    }
    return wrong;
  }, [records(), day(30)]);
  assert.deepEqual(written, []);
}
