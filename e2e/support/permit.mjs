// The building permit of the tests: a house that needs the word of the fire police.

/** So many days ago, as forms want it. */
export const day = (ago) => {
  const [year, month, date] = new Date(Date.now() - ago * 86_400_000).toLocaleDateString('sv', { timeZone: 'Asia/Ho_Chi_Minh' }).split('-');
  return `${date}/${month}/${year}`;
};

export const PERMIT = {
  code: '1.013225',
  answers: {
    'owner.kind': 'household',
    'works.kind': 'separate-house',
    'site.land_paper': 'land-use',
    'site.land_number': 'CS 123456',
    'site.leased': 'false',
    'site.planning': 'known',
    'site.area': '120',
    'works.footprint': '80',
    'works.floor_area': '240',
    'works.storeys': '3',
    'works.height': '11,5',
    'works.adjacent': 'false',
    'works.fire_review': 'true',
    'works.near_heritage': 'false',
    'design.reviewed': 'false',
    'schedule.start': day(-30),
    'schedule.months': '8',
  },
};
