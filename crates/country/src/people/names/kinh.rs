//! Names of the Kinh, nearly nine in ten of the country.

use base::codes::Sex;

use super::{Name, Order, Region};
use crate::dice::Dice;

/// Surnames and their shares in a thousand, by the count of Lê Trung Hoa (2005); what is left is spread over [`RARE`]. Two have a
/// southern form.
const SURNAMES: [(&str, &str, u16); 14] = [
    ("Nguyễn", "Nguyễn", 384),
    ("Trần", "Trần", 110),
    ("Lê", "Lê", 95),
    ("Phạm", "Phạm", 71),
    ("Hoàng", "Huỳnh", 51),
    ("Phan", "Phan", 45),
    ("Vũ", "Võ", 39),
    ("Đặng", "Đặng", 21),
    ("Bùi", "Bùi", 20),
    ("Đỗ", "Đỗ", 14),
    ("Hồ", "Hồ", 13),
    ("Ngô", "Ngô", 13),
    ("Dương", "Dương", 10),
    ("Lý", "Lý", 5),
];
const RARE: [&str; 42] = [
    "Đinh", "Trịnh", "Đoàn", "Trương", "Lương", "Mai", "Đào", "Hà", "Cao", "Lưu", "Tạ", "Thái", "Tô", "Châu", "Tống",
    "Phùng", "Lâm", "Quách", "Vương", "Kiều", "Chu", "Tăng", "Từ", "La", "Nghiêm", "Khuất", "Doãn", "Lại", "Đàm",
    "Hứa", "Triệu", "Mạc", "Văn", "Bạch", "Ninh", "Trà", "Thân", "Cù", "Đồng", "Phí", "Ứng", "Cấn",
];

const MIDDLE_MEN: [&str; 26] = [
    "Đức", "Minh", "Quang", "Hữu", "Ngọc", "Xuân", "Thanh", "Công", "Đình", "Quốc", "Anh", "Tuấn", "Hoàng", "Trọng",
    "Duy", "Thành", "Tiến", "Mạnh", "Viết", "Bá", "Gia", "Bảo", "Khánh", "Việt", "Thế", "Hải",
];
const MIDDLE_WOMEN: [&str; 24] = [
    "Ngọc", "Thu", "Thanh", "Minh", "Kim", "Hồng", "Phương", "Bích", "Thùy", "Mỹ", "Tuyết", "Khánh", "Hoài", "Mai",
    "Quỳnh", "Bảo", "Gia", "Lan", "Diệu", "Hải", "Ánh", "Như", "Tường", "Cẩm",
];

/// Given names in fashion until about 1964, until 1989 and since, the most common first.
const MEN: [&[&str]; 3] = [
    &[
        "Hùng", "Bình", "Thành", "Sơn", "Hòa", "Minh", "Dũng", "Tám", "Lợi", "Phúc", "Thọ", "Đức", "Tài", "Hải", "Lâm",
        "Long", "Quang", "Vinh", "Thắng", "Chiến", "Hồng", "Tư", "Năm", "Bảy", "Ba", "Út", "Xuân", "Tiến", "Khánh",
        "Định", "Cường", "Thạch", "Mạnh", "Cẩn", "Ngọ", "Thìn", "Dần", "Mão", "Tý", "Sửu", "Chính", "Trực", "Nhân",
        "Nghĩa", "Lễ", "Trí", "Tín", "Hợi", "Tuất", "Đoàn",
    ],
    &[
        "Hùng",
        "Dũng",
        "Tuấn",
        "Cường",
        "Hải",
        "Sơn",
        "Minh",
        "Thắng",
        "Thành",
        "Trung",
        "Bình",
        "Hiếu",
        "Long",
        "Nam",
        "Tùng",
        "Anh",
        "Toàn",
        "Hưng",
        "Đức",
        "Quân",
        "Phong",
        "Quang",
        "Tú",
        "Hòa",
        "Kiên",
        "Vinh",
        "Khoa",
        "Lâm",
        "Thái",
        "Phúc",
        "Tâm",
        "Đạt",
        "Hoàng",
        "Vũ",
        "Duy",
        "Linh",
        "Tài",
        "Huy",
        "Giang",
        "Thịnh",
        "Quyết",
        "Chiến",
        "Luân",
        "Nghĩa",
        "Trường",
        "Việt",
        "Khánh",
        "Công",
        "Đông",
        "Lộc",
        "Sang",
        "Tân",
        "Hậu",
        "Nhật",
        "Trí",
    ],
    &[
        "Huy",
        "Minh",
        "Khang",
        "Bảo",
        "Anh",
        "Khoa",
        "Đạt",
        "Phúc",
        "Long",
        "Nam",
        "Hoàng",
        "Quân",
        "Đức",
        "Khôi",
        "Phong",
        "Duy",
        "Hiếu",
        "Kiệt",
        "Nhật",
        "Thiện",
        "Tuấn",
        "Hưng",
        "Thịnh",
        "Dũng",
        "Tùng",
        "Sơn",
        "Khánh",
        "Quang",
        "Trung",
        "Vinh",
        "Hải",
        "Lâm",
        "Tài",
        "Nguyên",
        "Đăng",
        "Trí",
        "An",
        "Tâm",
        "Việt",
        "Hào",
        "Bách",
        "Kiên",
        "Phát",
        "Tú",
        "Thành",
        "Lộc",
        "Vũ",
        "Cường",
        "Trường",
        "Toàn",
        "Nghĩa",
        "Thái",
        "Tín",
        "Quý",
        "Dương",
        "Luân",
    ],
];
const WOMEN: [&[&str]; 3] = [
    &[
        "Lan",
        "Hoa",
        "Mai",
        "Hồng",
        "Cúc",
        "Tám",
        "Hai",
        "Ba",
        "Tư",
        "Năm",
        "Sáu",
        "Bảy",
        "Út",
        "Liên",
        "Nga",
        "Thanh",
        "Xuân",
        "Loan",
        "Hiền",
        "Đào",
        "Huệ",
        "Sen",
        "Nhung",
        "Tuyết",
        "Lý",
        "Thu",
        "Hương",
        "Bích",
        "Phượng",
        "Hạnh",
        "Thơm",
        "Mận",
        "Lê",
        "Gái",
        "Tẹo",
        "Chín",
        "Mười",
        "Nụ",
        "Vân",
        "Yến",
        "Dung",
        "Thoa",
        "Nguyệt",
        "Minh",
        "Sửu",
        "Dậu",
        "Mùi",
        "Tỵ",
        "Khuyên",
        "Ngân",
    ],
    &[
        "Hương",
        "Hà",
        "Lan",
        "Thủy",
        "Hằng",
        "Hoa",
        "Nga",
        "Hạnh",
        "Hiền",
        "Mai",
        "Phương",
        "Thảo",
        "Loan",
        "Yến",
        "Linh",
        "Dung",
        "Nhung",
        "Huyền",
        "Oanh",
        "Trang",
        "Thu",
        "Hồng",
        "Tuyết",
        "Vân",
        "Liên",
        "Ngọc",
        "Thanh",
        "Bích",
        "Hòa",
        "Tâm",
        "Ngân",
        "Quyên",
        "Thúy",
        "Nguyệt",
        "Anh",
        "Lý",
        "Giang",
        "Phượng",
        "Minh",
        "Xuân",
        "Huệ",
        "Chi",
        "Tươi",
        "Hường",
        "Nhàn",
        "Lành",
        "Thơm",
        "Diễm",
        "Duyên",
        "Thắm",
        "Trinh",
        "Uyên",
        "Kiều",
        "My",
        "Nương",
    ],
    &[
        "Anh", "Linh", "Trang", "Ngọc", "Vy", "Hân", "Nhi", "Thảo", "Phương", "Hà", "Trâm", "My", "Ngân", "Châu",
        "Thư", "Huyền", "Chi", "An", "Quỳnh", "Mai", "Giang", "Uyên", "Yến", "Nhung", "Hương", "Khánh", "Trúc", "Diệp",
        "Thy", "Tiên", "Như", "Vân", "Ly", "Dương", "Minh", "Lan", "Thủy", "Hằng", "Kiều", "Hoa", "Tâm", "Nguyên",
        "Duyên", "Trinh", "Đan", "Mẫn", "Tuệ", "Băng", "Ánh",
    ],
];

/// Given names of two words, in fashion since 1990.
const PAIRS: [[&str; 8]; 2] = [
    [
        "Gia Bảo",
        "Gia Huy",
        "Minh Khôi",
        "Tuấn Kiệt",
        "Minh Khang",
        "Bảo Long",
        "Nhật Minh",
        "Đức Anh",
    ],
    [
        "Bảo Ngọc",
        "Khánh Linh",
        "Hà My",
        "Quỳnh Anh",
        "Phương Anh",
        "Ngọc Hân",
        "Minh Châu",
        "Gia Hân",
    ],
];

const fn fashion(born: i32) -> usize {
    match born {
        ..1965 => 0,
        1965..1990 => 1,
        1990.. => 2,
    }
}

/// How much of a custom is left: all until 1950, none of what fades in 2030.
fn old_custom(born: i32) -> f64 {
    (f64::from(2030 - born) / 80.0).clamp(0.0, 1.0)
}

fn surname(region: Region, dice: &mut Dice) -> &'static str {
    let mut left = dice.below(1_000) as u16;
    for (north, south, share) in SURNAMES {
        if left < share {
            return if region == Region::South { south } else { north };
        }
        left -= share;
    }
    dice.pick_front(&RARE)
}

/// The given name that somebody of this sex and year is likely to have. Neighbours of the Kinh use them too.
pub fn given(sex: Sex, born: i32, dice: &mut Dice) -> &'static str {
    let (lists, pairs) = if sex == Sex::Male {
        (&MEN, &PAIRS[0])
    } else {
        (&WOMEN, &PAIRS[1])
    };
    if born >= 1990 && dice.chance(0.12) {
        return dice.pick(pairs.as_slice());
    }
    // Some are named after the fashion before.
    let late = usize::from(dice.chance(0.15));
    dice.pick_front(lists[fashion(born).saturating_sub(late)])
}

pub fn name(region: Region, sex: Sex, born: i32, inherited: Option<&'static str>, dice: &mut Dice) -> Name {
    let (marker, share, list): (_, _, &[&'static str]) = match sex {
        Sex::Male => ("Văn", 0.12 + 0.55 * old_custom(born), &MIDDLE_MEN),
        Sex::Female => ("Thị", 0.08 + 0.78 * old_custom(born), &MIDDLE_WOMEN),
    };
    let surname = inherited.unwrap_or_else(|| surname(region, dice));
    let given = given(sex, born, dice);
    let another = |dice: &mut Dice| Some(dice.pick_front(list)).filter(|m| *m != given).unwrap_or_default();
    let middle = if given.contains(' ') {
        [if dice.chance(0.3) { marker } else { "" }, ""]
    } else if dice.chance(share) {
        [
            marker,
            if sex == Sex::Female && dice.chance(0.35) {
                another(dice)
            } else {
                ""
            },
        ]
    } else {
        [another(dice), ""]
    };
    Name {
        order: Order::SurnameFirst,
        surname,
        middle,
        given,
    }
}
