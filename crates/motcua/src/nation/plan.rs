//! Who is in the demonstration nation, and what each offers. Codes are illustrative; names of agencies are
//! those of today (Taxation, Customs and Social Insurance are of the Ministry of Finance since March 2025).

use crate::demo::WARD;

/// The node of one member.
#[derive(Debug)]
pub struct Agency {
    /// Its folder, and the name of its site: `ninhbinh.localhost`.
    pub folder: &'static str,
    /// The member.
    pub member: &'static str,
    /// Its name.
    pub name: (&'static str, &'static str),
    /// The agency whose administrators and auditors look after the node.
    pub agency: &'static str,
    /// Its information systems. The node itself calls in the name of the first.
    pub systems: &'static [System],
    /// The approved questions of `questions/` that its node answers.
    pub questions: &'static [&'static str],
}

/// An information system.
#[derive(Debug)]
pub struct System {
    /// Its code within the member.
    pub code: &'static str,
    /// Its name.
    pub name: (&'static str, &'static str),
    /// The software behind the gateway.
    pub services: &'static [Service],
    /// The registries of `registries/` that it keeps; the node itself serves them.
    pub registries: &'static [&'static str],
}

/// A service behind a gateway.
#[derive(Debug)]
pub struct Service {
    /// Its code within the system.
    pub code: &'static str,
    /// Its name.
    pub name: (&'static str, &'static str),
    /// Where the number of a person stands in its messages (`path 3`).
    pub subjects: &'static str,
    /// What a read is called in the data tracker.
    pub action: &'static str,
}

/// The folder of the operator of the federation.
pub const OPERATOR: &str = "vpcp";
/// The folder of the province, whose node is the town.
pub const PROVINCE: &str = "ninhbinh";
/// The folder of the Ministry of Public Security, whose fire police the province consults.
pub const PUBLIC_SECURITY: &str = "congan";
/// The folder of the witness.
pub const WITNESS: &str = "nhanchung";

/// The systems of the members, as they are called.
pub const TOWN: &str = "VN/GOV/000.00.00.H42/motcua";
/// The system in whose name the police are consulted.
pub const POLICE: &str = "VN/GOV/000.00.00.G01/motcua";
pub const POPULATION: &str = "VN/GOV/000.00.00.G01/dancu";
pub const BUSINESS: &str = "VN/GOV/000.00.00.G12/dkkd";
pub const TAX: &str = "VN/GOV/000.00.17.G12/thue";
pub const INSURANCE: &str = "VN/GOV/000.00.24.G12/baohiem";
pub const CUSTOMS: &str = "VN/GOV/000.00.18.G12/haiquan";
pub const CIVIL_STATUS: &str = "VN/GOV/000.00.00.G15/hotich";
/// All nodes.
pub const AGENCIES: [Agency; 9] = [
    Agency {
        folder: OPERATOR,
        member: "VN/GOV/000.00.00.G22",
        name: ("Văn phòng Chính phủ", "Government Office"),
        agency: "G22",
        systems: &[System {
            code: "danhba",
            name: ("Danh bạ liên thông", "Directory of the exchange"),
            services: &[],
            registries: &[],
        }],
        questions: &[],
    },
    Agency {
        folder: PROVINCE,
        member: "VN/GOV/000.00.00.H42",
        name: ("Tỉnh Ninh Bình", "Ninh Bình province"),
        agency: WARD,
        systems: &[System {
            code: "motcua",
            name: (
                "Hệ thống một cửa của tỉnh và các xã, phường",
                "One-stop system of the province and its communes",
            ),
            services: &[],
            registries: &[],
        }],
        questions: &[
            "birth-not-registered",
            "entitled-not-asked",
            "no-permanent-residence",
            "residence-behind",
            "social-pension-not-asked",
        ],
    },
    Agency {
        folder: PUBLIC_SECURITY,
        member: "VN/GOV/000.00.00.G01",
        name: ("Bộ Công an", "Ministry of Public Security"),
        agency: "G01",
        systems: &[
            System {
                code: "motcua",
                name: ("Hệ thống một cửa của Bộ", "One-stop system of the ministry"),
                services: &[],
                registries: &[],
            },
            System {
                code: "dancu",
                name: ("Cơ sở dữ liệu quốc gia về dân cư", "National population database"),
                services: &[Service {
                    code: "persons",
                    name: ("Tra cứu dân cư", "Persons"),
                    subjects: "path 3",
                    action: "Tra cứu thông tin dân cư",
                }],
                registries: &["population", "residence"],
            },
        ],
        questions: &[],
    },
    Agency {
        folder: "taichinh",
        member: "VN/GOV/000.00.00.G12",
        name: ("Bộ Tài chính", "Ministry of Finance"),
        agency: "G12",
        systems: &[System {
            code: "dkkd",
            name: ("Cơ sở dữ liệu đăng ký doanh nghiệp", "Business register"),
            services: &[Service {
                code: "enterprises",
                name: ("Tra cứu doanh nghiệp", "Enterprises"),
                subjects: "",
                action: "Tra cứu thông tin đăng ký doanh nghiệp",
            }],
            registries: &["enterprises"],
        }],
        questions: &["employer-insures-workers"],
    },
    Agency {
        folder: "thue",
        member: "VN/GOV/000.00.17.G12",
        name: ("Cục Thuế", "Taxation"),
        agency: "G12.17",
        systems: &[System {
            code: "thue",
            name: ("Hệ thống quản lý thuế", "Tax system"),
            services: &[Service {
                code: "debts",
                name: ("Tra cứu nợ thuế", "Tax debts"),
                subjects: "",
                action: "Tra cứu nợ thuế của doanh nghiệp",
            }],
            registries: &["tax"],
        }],
        questions: &["importer-owes-tax"],
    },
    Agency {
        folder: "baohiem",
        member: "VN/GOV/000.00.24.G12",
        name: ("Bảo hiểm xã hội Việt Nam", "Viet Nam Social Insurance"),
        agency: "G12.24",
        systems: &[System {
            code: "baohiem",
            name: ("Cơ sở dữ liệu bảo hiểm", "Insurance database"),
            services: &[
                Service {
                    code: "cards",
                    name: ("Tra cứu thẻ bảo hiểm y tế", "Health insurance cards"),
                    subjects: "path 3",
                    action: "Tra cứu thẻ bảo hiểm y tế",
                },
                Service {
                    code: "employers",
                    name: ("Tra cứu đơn vị đóng bảo hiểm", "Employers"),
                    subjects: "",
                    action: "Tra cứu đơn vị sử dụng lao động đóng bảo hiểm",
                },
            ],
            registries: &["social-insurance"],
        }],
        questions: &[],
    },
    Agency {
        folder: "haiquan",
        member: "VN/GOV/000.00.18.G12",
        name: ("Cục Hải quan", "Customs"),
        agency: "G12.18",
        systems: &[System {
            code: "haiquan",
            name: ("Hệ thống thông quan", "Customs clearance system"),
            services: &[Service {
                code: "declarations",
                name: ("Tra cứu tờ khai hải quan", "Customs declarations"),
                subjects: "",
                action: "Tra cứu tờ khai hải quan của doanh nghiệp",
            }],
            registries: &["customs"],
        }],
        questions: &[],
    },
    Agency {
        folder: "tuphap",
        member: "VN/GOV/000.00.00.G15",
        name: ("Bộ Tư pháp", "Ministry of Justice"),
        agency: "G15",
        systems: &[System {
            code: "hotich",
            name: ("Cơ sở dữ liệu hộ tịch điện tử", "Civil status database"),
            services: &[],
            registries: &["civil-status"],
        }],
        questions: &[],
    },
    Agency {
        folder: WITNESS,
        member: "VN/ORG/nhanchung",
        name: ("Nhân chứng độc lập", "Independent witness"),
        agency: "Z01NHANCHUNG",
        systems: &[System {
            code: "nhanchung",
            name: ("Nhân chứng của các sổ cái", "Witness of the logs"),
            services: &[],
            registries: &[],
        }],
        questions: &[],
    },
];

/// Every registry with the system that keeps it.
pub fn registries_of_all() -> impl Iterator<Item = (&'static str, String)> {
    AGENCIES.iter().flat_map(|agency| {
        let kept = |system: &'static System| {
            system
                .registries
                .iter()
                .map(|registry| (*registry, agency.subsystem(system)))
        };
        agency.systems.iter().flat_map(kept)
    })
}

impl Agency {
    /// The registries that its node keeps.
    pub fn registries(&self) -> impl Iterator<Item = &'static str> {
        self.systems.iter().flat_map(|system| system.registries.iter().copied())
    }

    /// The identifier of one of its systems.
    pub fn subsystem(&self, system: &System) -> String {
        format!("{}/{}", self.member, system.code)
    }
}

/// The node of a member's system.
pub fn node_of(subsystem: &str) -> Option<&'static Agency> {
    AGENCIES.iter().find(|agency| {
        agency
            .systems
            .iter()
            .any(|system| agency.subsystem(system) == subsystem)
    })
}
