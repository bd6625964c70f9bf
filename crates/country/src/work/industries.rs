//! Branches of the economy.

/// A division of the Vietnam Standard Industrial Classification (VSIC 2018, Decision 27/2018/QĐ-TTg).
#[derive(Debug, Clone, Copy)]
pub struct Industry {
    /// Level 1: a letter.
    pub section: char,
    /// Level 2: two digits.
    pub division: &'static str,
    /// What companies in it call their trade.
    pub name: &'static str,
    /// How many companies are in it, of a hundred or so.
    pub(crate) companies: u8,
    /// How many household businesses are.
    pub(crate) shops: u8,
    /// How often such a company imports or exports, in per cent.
    pub(crate) trades: u8,
}

const fn industry(
    section: char,
    division: &'static str,
    name: &'static str,
    companies: u8,
    shops: u8,
    trades: u8,
) -> Industry {
    Industry {
        section,
        division,
        name,
        companies,
        shops,
        trades,
    }
}

/// Those that the country has.
pub const INDUSTRIES: [Industry; 28] = [
    industry('A', "01", "Nông nghiệp", 2, 2, 10),
    industry('A', "03", "Thủy sản", 2, 1, 30),
    industry('C', "10", "Chế biến thực phẩm", 4, 5, 30),
    industry('C', "14", "May mặc", 4, 4, 55),
    industry('C', "15", "Da giày", 1, 1, 60),
    industry('C', "16", "Chế biến gỗ", 3, 2, 40),
    industry('C', "22", "Nhựa và cao su", 2, 0, 45),
    industry('C', "25", "Cơ khí", 4, 4, 20),
    industry('C', "26", "Điện tử", 2, 0, 80),
    industry('C', "31", "Nội thất", 2, 2, 35),
    industry('F', "41", "Xây dựng", 11, 1, 1),
    industry('F', "42", "Hạ tầng", 4, 0, 1),
    industry('F', "43", "Lắp đặt điện nước", 5, 3, 2),
    industry('G', "45", "Ô tô và xe máy", 3, 8, 8),
    industry('G', "46", "Thương mại", 20, 6, 25),
    industry('G', "47", "Bán lẻ", 8, 34, 4),
    industry('H', "49", "Vận tải", 6, 9, 1),
    industry('H', "52", "Kho vận", 2, 1, 6),
    industry('I', "55", "Khách sạn", 2, 3, 0),
    industry('I', "56", "Ăn uống", 3, 20, 0),
    industry('J', "62", "Công nghệ phần mềm", 3, 0, 4),
    industry('L', "68", "Bất động sản", 3, 3, 0),
    industry('M', "69", "Tư vấn kế toán", 2, 0, 0),
    industry('M', "71", "Kiến trúc", 3, 0, 0),
    industry('N', "79", "Du lịch", 2, 1, 0),
    industry('P', "85", "Giáo dục", 2, 1, 0),
    industry('Q', "86", "Y tế", 1, 2, 3),
    industry('S', "96", "Dịch vụ cá nhân", 1, 9, 0),
];
