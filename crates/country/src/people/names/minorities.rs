//! Names of the peoples who name in their own way, after their published naming customs. A few common names of each, so that
//! every reader of names meets their shapes: particles, clans that stand last, names of two words, no surname at all.

use base::codes::Sex;

use super::{Name, Order, kinh};
use crate::{dice::Dice, people::Ethnicity};

/// How a people names.
pub struct People {
    order: Order,
    surnames: &'static [&'static str],
    /// The middle name or particle of men and of women.
    marker: (&'static str, &'static str),
    men: &'static [&'static str],
    women: &'static [&'static str],
    /// The share of given names that are those of the Kinh.
    kinh: f64,
}

impl People {
    pub fn name(&self, sex: Sex, born: i32, inherited: Option<&'static str>, dice: &mut Dice) -> Name {
        let (marker, own) = match sex {
            Sex::Male => (self.marker.0, self.men),
            Sex::Female => (self.marker.1, self.women),
        };
        let surname = match inherited {
            // A people without surnames takes none from a parent of another.
            Some(inherited) if !self.surnames.is_empty() => inherited,
            _ if self.surnames.is_empty() => "",
            _ => dice.pick_front(self.surnames),
        };
        let given = if own.is_empty() || dice.chance(self.kinh) {
            kinh::given(sex, born, dice)
        } else {
            dice.pick(own)
        };
        Name {
            order: self.order,
            surname,
            middle: [marker, ""],
            given,
        }
    }
}

/// The people of an ethnic group; none for the Kinh, whose names foreigners take if they take one.
pub const fn people_of(ethnicity: Ethnicity) -> Option<&'static People> {
    Some(match ethnicity {
        Ethnicity::Kinh | Ethnicity::Foreign => return None,
        Ethnicity::Tay => &TAY,
        Ethnicity::Nung => &NUNG,
        Ethnicity::Thai => &THAI,
        Ethnicity::Muong => &MUONG,
        Ethnicity::Hmong => &HMONG,
        Ethnicity::Dao => &DAO,
        Ethnicity::Hoa => &HOA,
        Ethnicity::Khmer => &KHMER,
        Ethnicity::Cham => &CHAM,
        Ethnicity::GiaRai => &GIA_RAI,
        Ethnicity::EDe => &E_DE,
        Ethnicity::BaNa => &BA_NA,
        Ethnicity::XoDang => &XO_DANG,
        Ethnicity::CoHo => &CO_HO,
    })
}

const fn like_kinh(surnames: &'static [&'static str]) -> People {
    People {
        order: Order::SurnameFirst,
        surnames,
        marker: ("Văn", "Thị"),
        men: &[],
        women: &[],
        kinh: 1.0,
    }
}

const TAY: People = like_kinh(&[
    "Hoàng", "Nông", "Lương", "Hà", "Bế", "Ma", "Đàm", "Lý", "Chu", "Nguyễn", "Lục", "Mã",
]);
const NUNG: People = like_kinh(&[
    "Nông", "Hoàng", "Lý", "Vi", "Triệu", "Lương", "Mông", "Lộc", "Hứa", "Phùng", "Linh",
]);
const MUONG: People = like_kinh(&[
    "Bùi", "Đinh", "Quách", "Bạch", "Hà", "Phạm", "Trương", "Cao", "Xa", "Nguyễn",
]);
const CHAM: People = like_kinh(&[
    "Đàng",
    "Bá",
    "Quảng",
    "Lưu",
    "Thập",
    "Đạo",
    "Kiều",
    "Trượng",
    "Dương",
    "Hán",
]);

const THAI: People = People {
    order: Order::SurnameFirst,
    surnames: &[
        "Lò", "Quàng", "Lường", "Cà", "Tòng", "Hà", "Vi", "Lô", "Cầm", "Bạc", "Hoàng", "Lương",
    ],
    marker: ("Văn", "Thị"),
    men: &[
        "Ơn", "Pản", "Inh", "Pâng", "Hặc", "Xương", "Panh", "Thoan", "Ún", "Piếng",
    ],
    women: &["Ín", "Pánh", "Phóng", "Ọi", "Chựa", "Ẻn", "Xôm", "Pọm", "Ngoan", "Biên"],
    kinh: 0.6,
};

const HMONG: People = People {
    order: Order::SurnameFirst,
    surnames: &[
        "Giàng", "Vàng", "Sùng", "Lầu", "Thào", "Mùa", "Lý", "Vừ", "Hạng", "Hờ", "Tráng", "Cứ", "Ly", "Má",
    ],
    marker: ("A", "Thị"),
    men: &[
        "Pó", "Sử", "Phủ", "Páo", "Chua", "Dơ", "Lử", "Tủa", "Sình", "Chứ", "Dế", "Vảng", "Súa", "Nủ", "Thề", "Chu",
        "Hồng", "Của", "Lềnh", "Sính",
    ],
    women: &[
        "Mỷ", "Dở", "Sua", "Chư", "Súa", "Máy", "Ly", "Pà", "Dính", "Xay", "Mái", "Cở", "Chá", "Mo", "Say", "Dợ", "Vá",
        "Sênh", "Dúa", "Chúa",
    ],
    kinh: 0.12,
};

const DAO: People = People {
    order: Order::SurnameFirst,
    surnames: &["Triệu", "Đặng", "Bàn", "Phùng", "Lý", "Chảo", "Tẩn", "Phàn", "Dương"],
    marker: ("", "Mùi"),
    men: &[
        "Tài Minh",
        "Văn Phúc",
        "Chòi Phin",
        "Láo Tả",
        "Văn Tài",
        "Dào Quyên",
        "Tòn Pham",
        "Láo Sử",
        "Kim Long",
    ],
    women: &[
        "Ghến", "Pham", "Nái", "Mẩy", "Viện", "Khe", "Chài", "Liều", "Say", "Coi",
    ],
    kinh: 0.3,
};

const HOA: People = People {
    order: Order::SurnameFirst,
    surnames: &[
        "Trần", "Lâm", "Lý", "Huỳnh", "Quách", "Vương", "Tăng", "Lưu", "La", "Mã", "Châu", "Phùng", "Thái",
    ],
    marker: ("Chí", "Mỹ"),
    men: &[
        "Hào", "Cường", "Minh", "Phát", "Quân", "Vĩ", "Hoa", "Kiệt", "Bửu", "Sanh", "Hưng", "Nguyên",
    ],
    women: &[
        "Linh", "Lệ", "Phụng", "Dung", "Anh", "Vân", "Ngọc", "Huê", "Quyên", "Bình", "Muội",
    ],
    kinh: 0.2,
};

const KHMER: People = People {
    order: Order::SurnameFirst,
    surnames: &[
        "Thạch", "Sơn", "Kim", "Danh", "Lâm", "Kiên", "Châu", "Lý", "Trần", "Tăng", "Liêu",
    ],
    marker: ("", "Thị"),
    men: &[
        "Sóc Kha",
        "Sa Rây",
        "Sô Phát",
        "Chanh Đa",
        "Ra",
        "Rương",
        "Sươl",
        "Sa Vươn",
        "Thia",
        "Hên",
        "Đa Ra",
        "Sóc",
    ],
    women: &[
        "Sô Phia",
        "Chanh Thi",
        "Sa Rung",
        "Lị",
        "Sà Mươn",
        "Thu Nươl",
        "Sóc Kha",
        "Phol Ly",
        "Hên",
        "Sa Phone",
    ],
    kinh: 0.4,
};

const GIA_RAI: People = People {
    order: Order::SurnameFirst,
    surnames: &[
        "Siu",
        "Rơ Châm",
        "Ksor",
        "Rmah",
        "Nay",
        "Kpă",
        "Rah Lan",
        "Rơ Lan",
        "Puih",
        "Rơ Mah",
    ],
    marker: ("", ""),
    men: &[
        "Thin", "Blôk", "Phưn", "Hyan", "Tơ", "Krăm", "Djuing", "Glôh", "Hlưn", "Yăk", "Alơ", "Chăm",
    ],
    women: &[
        "H'Ling", "H'Bia", "H'Mlá", "H'Nhung", "H'Phưn", "H'Lat", "H'Djoih", "H'Xíu", "H'Uyên", "H'Blơi",
    ],
    kinh: 0.1,
};

const E_DE: People = People {
    order: Order::ClanLast,
    surnames: &[
        "Niê", "Êban", "Byă", "Mlô", "Kbuôr", "Ayŭn", "Êñuôl", "Ktla", "Hđơk", "Kđoh",
    ],
    marker: ("", ""),
    men: &[
        "Y Moan", "Y Blô", "Y Thông", "Y Djhăm", "Y Wăn", "Y Khăm", "Y Bliêo", "Y Sáp", "Y Nguôt", "Y Săm",
    ],
    women: &[
        "H'Hen", "H'Blăk", "H'Yar", "H'Rôda", "H'Nga", "H'Wing", "H'Ruih", "H'Mlăm", "H'Lê", "H'Duyên",
    ],
    kinh: 0.0,
};

const BA_NA: People = People {
    order: Order::SurnameFirst,
    surnames: &["Đinh"],
    marker: ("", ""),
    men: &[
        "Văn Hmơk",
        "Hlưt",
        "Phi",
        "Nhưk",
        "Keo",
        "Bri",
        "Hưnh",
        "Yơm",
        "Thim",
        "Prưk",
    ],
    women: &[
        "Thị Bônh",
        "Thị Ngưm",
        "Thị Hnhơp",
        "Thị Blưh",
        "Thị Khuơn",
        "Thị Prưl",
        "Thị Lưu",
    ],
    kinh: 0.2,
};

const XO_DANG: People = People {
    order: Order::SurnameFirst,
    surnames: &[],
    marker: ("A", "Y"),
    men: &[
        "Thút", "Phiên", "Hùng", "Nhoi", "Brôl", "Blong", "Tê", "Đun", "Lương", "Khưm", "Viêng", "Brin",
    ],
    women: &[
        "Hương",
        "Byêl",
        "Nhung",
        "Ngoan",
        "Phượng",
        "Hlem",
        "Vin",
        "Blưi",
        "Lan",
        "Xăm",
        "Đế",
        "Thao",
    ],
    kinh: 0.1,
};

const CO_HO: People = People {
    order: Order::SurnameFirst,
    surnames: &[
        "Cil",
        "Kră Jăn",
        "Lơ Mu",
        "Bon Niêng",
        "Rơ Ông",
        "Đơng Gur",
        "Sơ Ao",
        "Liêng Hót",
    ],
    marker: ("", "Ka"),
    men: &[
        "K'Brèm", "K'Tes", "K'Brông", "K'Sáu", "K'Đoan", "K'Vinh", "K'Brên", "K'Nhợt", "K'Jôi", "Ha Mup",
    ],
    women: &[
        "Hoan", "Nhòi", "Hiền", "Rem", "Bing", "Loan", "Thủy", "Nhên", "Sương", "Duyên",
    ],
    kinh: 0.1,
};
