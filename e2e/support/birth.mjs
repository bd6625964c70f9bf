// The joined filing of a birth (3.000722) as the citizen of the demonstration makes it: what registries know is not typed.
import { day } from './permit.mjs';

export const BIRTH = {
  code: '3.000722',
  born: day(9),
  answers: {
    'requester.relation': 'mother',
    'parents.both': 'true',
    'child.name': 'Trần Gia Bảo Châu',
    'child.birth_date': day(9),
    'child.sex': 'female',
    'child.hometown': 'Phường Hoa Lư, tỉnh Ninh Bình',
    'birth.facility': 'Bệnh viện Đa khoa tỉnh Ninh Bình',
    'birth.proof': 'electronic',
    'home.with': 'me',
    'home.relation': 'child',
    'home.owner_agrees': 'true',
    'card.other': 'true',
    'card.care': '37001',
  },
};

/** The same as the JSON API takes it; each `n` is another child. */
export function birth(n) {
  const answers = { birth: { commune: { province: '37', commune: '14329' } }, request: { promise: true } };
  for (const [field, text] of Object.entries(BIRTH.answers)) {
    const [group, name] = field.split('.');
    (answers[group] ??= {})[name] = text === 'true' ? true : text;
  }
  const words = 'An Bình Chi Dung Giang Hà Khanh Lan Mai Nga Oanh Phương Quyên Sen Thảo Uyên Vân Xuân Yến'.split(' ');
  const name = `Trần ${words[n % words.length]} ${words[Math.floor(n / words.length)]} Châu`;
  Object.assign(answers.requester, { phone: '0912345678' });
  Object.assign(answers.child, { name, ethnicity: '01', birth_date: BIRTH.born.split('/').reverse().join('-') });
  return { procedure: BIRTH.code, answers };
}
