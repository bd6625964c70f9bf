//! What is particular to each of the 63 provinces that there were until 30 June 2025.

use crate::people::Ethnicity;

/// A province of the list of 63, with what its people's numbers begin with.
#[derive(Debug, Clone, Copy)]
pub struct Province {
    /// Its code, `1` for `01`; also the first three digits of personal numbers.
    pub code: u8,
    /// Persons in thousands, rounded, about 2022 (General Statistics Office).
    pub thousands: u16,
    /// The first two digits of a 9-digit identity card; several provinces share one because they were one when cards began.
    pub card: u8,
    /// The first two digits of a tax code: the range of the tax office that gave it out.
    pub tax: u8,
    /// How strongly it draws people who leave home: the cities and the provinces with industrial zones.
    pub pull: u8,
    /// Its ethnic minorities and their shares in per cent, rounded, in the spirit of the census of 2019. The rest are Kinh.
    pub minorities: &'static [(Ethnicity, u8)],
}

impl Province {
    /// Whether people there say Huỳnh and Võ rather than Hoàng and Vũ: from Quảng Trị southwards.
    pub const fn is_southern(&self) -> bool {
        self.code >= 45
    }

    /// The province of this code.
    pub fn of(code: u8) -> Option<&'static Self> {
        PROVINCES
            .binary_search_by_key(&code, |p| p.code)
            .ok()
            .map(|at| &PROVINCES[at])
    }
}

const fn province(
    code: u8,
    thousands: u16,
    card: u8,
    tax: u8,
    pull: u8,
    minorities: &'static [(Ethnicity, u8)],
) -> Province {
    Province {
        code,
        thousands,
        card,
        tax,
        pull,
        minorities,
    }
}

use Ethnicity::{BaNa, Cham, CoHo, Dao, EDe, GiaRai, Hmong, Hoa, Khmer, Muong, Nung, Tay, Thai, XoDang};

/// All 63, by code.
pub const PROVINCES: [Province; 63] = [
    province(1, 8435, 1, 1, 55, &[]),
    province(2, 893, 7, 51, 1, &[(Hmong, 33), (Tay, 23), (Dao, 15), (Nung, 10)]),
    province(4, 543, 8, 48, 1, &[(Tay, 41), (Nung, 30), (Hmong, 12), (Dao, 10)]),
    province(6, 324, 9, 47, 1, &[(Tay, 52), (Dao, 18), (Nung, 9), (Hmong, 7)]),
    province(8, 805, 7, 50, 1, &[(Tay, 26), (Dao, 14), (Hmong, 3)]),
    province(10, 770, 6, 53, 2, &[(Hmong, 25), (Tay, 15), (Dao, 14)]),
    province(11, 635, 4, 56, 1, &[(Hmong, 38), (Thai, 37)]),
    province(12, 482, 4, 62, 1, &[(Thai, 32), (Hmong, 24), (Dao, 13)]),
    province(14, 1300, 5, 55, 1, &[(Thai, 54), (Hmong, 16), (Muong, 7)]),
    province(15, 847, 6, 52, 1, &[(Tay, 18), (Hmong, 13), (Dao, 12), (Thai, 8)]),
    province(17, 875, 11, 54, 2, &[(Muong, 64), (Thai, 4), (Tay, 3)]),
    province(19, 1336, 9, 46, 12, &[(Tay, 11), (Nung, 7)]),
    province(20, 802, 8, 49, 1, &[(Nung, 43), (Tay, 36), (Dao, 4)]),
    province(22, 1362, 10, 57, 8, &[(Dao, 5), (Tay, 3)]),
    province(24, 1891, 12, 24, 10, &[(Nung, 5), (Tay, 3)]),
    province(25, 1516, 13, 26, 3, &[(Muong, 15), (Dao, 1)]),
    province(26, 1197, 13, 25, 6, &[]),
    province(27, 1488, 12, 23, 18, &[]),
    province(30, 1946, 14, 8, 5, &[]),
    province(31, 2088, 3, 2, 15, &[]),
    province(33, 1290, 14, 9, 6, &[]),
    province(34, 1878, 15, 10, 2, &[]),
    province(35, 878, 16, 7, 4, &[]),
    province(36, 1876, 16, 6, 2, &[]),
    province(37, 1010, 16, 27, 3, &[(Muong, 3)]),
    province(38, 3722, 17, 28, 4, &[(Muong, 10), (Thai, 6)]),
    province(40, 3420, 18, 29, 3, &[(Thai, 9), (Hmong, 1)]),
    province(42, 1323, 18, 30, 2, &[]),
    province(44, 918, 19, 31, 1, &[]),
    province(45, 651, 19, 32, 1, &[]),
    province(46, 1160, 19, 33, 5, &[]),
    province(48, 1221, 20, 4, 14, &[]),
    province(49, 1519, 20, 40, 4, &[]),
    province(51, 1245, 21, 43, 2, &[]),
    province(52, 1504, 21, 41, 3, &[(BaNa, 1)]),
    province(54, 877, 22, 44, 1, &[(EDe, 2)]),
    province(56, 1254, 22, 42, 6, &[]),
    province(58, 598, 26, 45, 1, &[(Cham, 12)]),
    province(60, 1252, 26, 34, 2, &[(Cham, 3)]),
    province(62, 580, 23, 61, 2, &[(XoDang, 25), (BaNa, 12), (GiaRai, 5)]),
    province(64, 1591, 23, 59, 3, &[(GiaRai, 30), (BaNa, 12)]),
    province(66, 1918, 24, 60, 4, &[(EDe, 19), (Nung, 4), (Tay, 3)]),
    province(67, 671, 24, 64, 4, &[(Hmong, 6), (Nung, 5)]),
    province(68, 1332, 25, 58, 6, &[(CoHo, 13), (Nung, 2)]),
    province(70, 1034, 28, 38, 8, &[(Khmer, 2), (Nung, 2)]),
    province(72, 1188, 29, 39, 6, &[(Khmer, 1)]),
    province(74, 2763, 28, 37, 45, &[(Khmer, 2)]),
    province(75, 3256, 27, 36, 30, &[(Hoa, 3)]),
    province(77, 1178, 27, 35, 14, &[]),
    province(79, 9390, 2, 3, 60, &[(Hoa, 4), (Khmer, 1)]),
    province(80, 1734, 30, 11, 15, &[]),
    province(82, 1786, 31, 12, 4, &[]),
    province(83, 1298, 32, 13, 1, &[]),
    province(84, 1019, 33, 21, 1, &[(Khmer, 31), (Hoa, 1)]),
    province(86, 1028, 33, 15, 2, &[(Khmer, 2)]),
    province(87, 1600, 34, 14, 2, &[]),
    province(89, 1906, 35, 16, 2, &[(Khmer, 4), (Cham, 1)]),
    province(91, 1752, 37, 17, 3, &[(Khmer, 12), (Hoa, 2)]),
    province(92, 1252, 36, 18, 10, &[(Khmer, 2), (Hoa, 1)]),
    province(93, 728, 36, 63, 1, &[(Khmer, 3)]),
    province(94, 1198, 36, 22, 1, &[(Khmer, 30), (Hoa, 5)]),
    province(95, 922, 38, 19, 1, &[(Khmer, 8), (Hoa, 2)]),
    province(96, 1208, 38, 20, 1, &[(Khmer, 2)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_its_provinces_exist() {
        assert!(PROVINCES.windows(2).all(|w| w[0].code < w[1].code));
        for province in PROVINCES {
            let number = format!("{:03}090000001", province.code);
            assert!(number.parse::<base::codes::PersonNumber>().is_ok(), "{number}");
            assert!(province.minorities.iter().map(|(_, share)| share).sum::<u8>() < 100);
        }
        let mut ranges: Vec<u8> = PROVINCES.iter().map(|p| p.tax).collect();
        ranges.sort_unstable();
        ranges.dedup();
        assert_eq!(ranges.len(), 63, "each tax office has its own range");
    }
}
