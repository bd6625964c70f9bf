//! The groups into which published words are sorted: audiences, tiers, sorts, ways to file.

use base::Text;
use serde::{Deserialize, Serialize};

/// Whom a procedure serves (đối tượng thực hiện), grouped for filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Vietnamese citizens.
    Citizen,
    /// Enterprises and cooperatives.
    Business,
    /// Organisations that are not enterprises.
    Organisation,
    /// Foreigners.
    Foreigner,
    /// Vietnamese who live abroad.
    Overseas,
    /// Officials, public servants and employees.
    Official,
    /// Organisations and members of the Party.
    Party,
}

impl Audience {
    /// All groups, in the order of a list.
    pub const ALL: [Self; 7] = [
        Self::Citizen,
        Self::Business,
        Self::Organisation,
        Self::Foreigner,
        Self::Overseas,
        Self::Official,
        Self::Party,
    ];

    /// The group of a published audience; `None` for one that is unknown ("nhóm 1").
    pub fn of(published: &str) -> Option<Self> {
        Some(match base::text::fold(published).as_str() {
            "cong dan viet nam"
            | "cong dan viet nam ma khong xac dinh duoc noi thuong tru hoac noi tam tru"
            | "citizen" => Self::Citizen,
            "doanh nghiep"
            | "doanh nghiep viet nam"
            | "doanh nghiep co von dau tu nuoc ngoai"
            | "hop tac xa"
            | "enterprise"
            | "foreign-invested-enterprise"
            | "cooperative" => Self::Business,
            "to chuc (khong bao gom doanh nghiep, htx)"
            | "to chuc nuoc ngoai"
            | "organisation"
            | "foreign-organisation" => Self::Organisation,
            "nguoi nuoc ngoai"
            | "nguoi nuoc ngoai cu tru tai viet nam"
            | "nguoi nuoc ngoai da cu tru tai viet nam"
            | "foreigner"
            | "foreign-resident" => Self::Foreigner,
            "nguoi viet nam dinh cu o nuoc ngoai" | "overseas-vietnamese" => Self::Overseas,
            "can bo, cong chuc, vien chuc" | "official" => Self::Official,
            "to chuc dang" | "dang vien" => Self::Party,
            _ => return None,
        })
    }

    /// The name used in addresses and data.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Business => "business",
            Self::Organisation => "organisation",
            Self::Foreigner => "foreigner",
            Self::Overseas => "overseas",
            Self::Official => "official",
            Self::Party => "party",
        }
    }

    /// Reads [`Audience::id`].
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.id() == id)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Citizen => Text::new("Công dân Việt Nam", "Vietnamese citizens"),
            Self::Business => Text::new("Doanh nghiệp, hợp tác xã", "Businesses and cooperatives"),
            Self::Organisation => Text::new("Tổ chức khác", "Other organisations"),
            Self::Foreigner => Text::new("Người nước ngoài", "Foreigners"),
            Self::Overseas => Text::new("Người Việt Nam định cư ở nước ngoài", "Vietnamese living abroad"),
            Self::Official => Text::new("Cán bộ, công chức, viên chức", "Officials and public employees"),
            Self::Party => Text::new("Tổ chức Đảng, đảng viên", "Party organisations and members"),
        }
    }
}

/// The tier of government that executes a procedure, read from the name of the agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Commune, ward, special zone (cấp xã).
    Commune,
    /// Province or centrally-run city (cấp tỉnh).
    Province,
    /// Ministry or central agency (cấp trung ương).
    Central,
}

impl Level {
    /// All tiers.
    pub const ALL: [Self; 3] = [Self::Commune, Self::Province, Self::Central];

    /// The tier that an agency's published name speaks of; `None` when the name does not tell.
    pub fn of(agency: &str) -> Option<Self> {
        let name = base::text::fold(agency);
        let has = |word: &str| name.contains(word);
        let starts = |word: &str| name.starts_with(word);
        if has("cap xa")
            || has("cap phuong")
            || starts("ubnd xa")
            || starts("ubnd phuong")
            || starts("uy ban nhan dan xa")
        {
            Some(Self::Commune)
        } else if starts("so ")
            || has("cap tinh")
            || has(" tinh")
            || has("thanh pho")
            || has("khu vuc")
            || starts("chi cuc")
            || starts("chi nhanh")
            || has("thue co so")
        {
            Some(Self::Province)
        } else if starts("bo ")
            || starts("cuc ")
            || starts("tong cuc")
            || starts("vu ")
            || has("- bo ")
            || has("nha nuoc viet nam")
            || has("viet nam")
            || starts("chinh phu")
            || starts("thu tuong")
            || starts("uy ban chung khoan")
        {
            Some(Self::Central)
        } else {
            None
        }
    }

    /// The name used in addresses and data.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Commune => "commune",
            Self::Province => "province",
            Self::Central => "central",
        }
    }

    /// Reads [`Level::id`].
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.id() == id)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Commune => Text::new("Cấp xã", "Commune"),
            Self::Province => Text::new("Cấp tỉnh", "Province"),
            Self::Central => Text::new("Cấp trung ương", "Central government"),
        }
    }
}

/// The sort of procedure, by who may issue it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Issued by a ministry for the whole country (`STANDARD`).
    #[default]
    National,
    /// Issued by one province for itself (`SPECIFIC`).
    Provincial,
    /// Between agencies only (`STANDARD_INTERNAL`).
    Internal,
}

impl Sort {
    /// Reads the published word.
    pub fn of(published: &str) -> Option<Self> {
        match published.trim() {
            "STANDARD" | "standard" => Some(Self::National),
            "SPECIFIC" | "specific" => Some(Self::Provincial),
            "STANDARD_INTERNAL" | "internal" => Some(Self::Internal),
            _ => None,
        }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::National => Text::new("Áp dụng trên toàn quốc", "Applies nationwide"),
            Self::Provincial => Text::new("Đặc thù của địa phương", "Specific to one province"),
            Self::Internal => Text::new("Thủ tục nội bộ giữa các cơ quan", "Internal, between agencies"),
        }
    }
}

/// How to file (cách thức thực hiện).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Online (trực tuyến).
    Online,
    /// At the counter (trực tiếp).
    Counter,
    /// By public post (dịch vụ bưu chính).
    Post,
}

impl Method {
    /// Reads the published word.
    pub fn of(published: &str) -> Option<Self> {
        match published.trim().to_ascii_uppercase().as_str() {
            "ONLINE" => Some(Self::Online),
            "DIRECT" | "COUNTER" => Some(Self::Counter),
            "POSTAL" | "POST" => Some(Self::Post),
            _ => None,
        }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Online => Text::new("Trực tuyến", "Online"),
            Self::Counter => Text::new("Trực tiếp", "In person"),
            Self::Post => Text::new("Dịch vụ bưu chính", "By post"),
        }
    }
}
