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
