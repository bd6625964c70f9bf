//! The ethnic groups that the country has.

/// An ethnic group (dân tộc); the code is that of Decision 121-TCTK/PPCĐ of 2 March 1979.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ethnicity {
    /// 01
    Kinh,
    /// 02
    Tay,
    /// 03
    Thai,
    /// 04
    Hoa,
    /// 05
    Khmer,
    /// 06
    Muong,
    /// 07
    Nung,
    /// 08
    Hmong,
    /// 09
    Dao,
    /// 10
    GiaRai,
    /// 12
    EDe,
    /// 13
    BaNa,
    /// 14
    XoDang,
    /// 16
    CoHo,
    /// 17
    Cham,
    /// 00: none of the 54, a foreigner.
    Foreign,
}

impl Ethnicity {
    /// Code and name, as the list has them.
    pub const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::Kinh => ("01", "Kinh"),
            Self::Tay => ("02", "Tày"),
            Self::Thai => ("03", "Thái"),
            Self::Hoa => ("04", "Hoa"),
            Self::Khmer => ("05", "Khơ-me"),
            Self::Muong => ("06", "Mường"),
            Self::Nung => ("07", "Nùng"),
            Self::Hmong => ("08", "HMông"),
            Self::Dao => ("09", "Dao"),
            Self::GiaRai => ("10", "Gia-rai"),
            Self::EDe => ("12", "Ê-đê"),
            Self::BaNa => ("13", "Ba-na"),
            Self::XoDang => ("14", "Xơ-đăng"),
            Self::CoHo => ("16", "Cơ-ho"),
            Self::Cham => ("17", "Chăm"),
            Self::Foreign => ("00", "Khác"),
        }
    }

    /// Whether children belong to the mother's clan and bear its name.
    pub const fn is_matrilineal(self) -> bool {
        matches!(self, Self::GiaRai | Self::EDe | Self::CoHo)
    }

    /// Whether it lives in the mountains, where help for hard areas goes.
    pub const fn is_highland(self) -> bool {
        !matches!(self, Self::Kinh | Self::Hoa | Self::Khmer | Self::Cham | Self::Foreign)
    }
}
