//! The people of the demonstration. Invented: names are common, numbers follow the rules and belong to nobody known.

use anyhow::Context as _;
use identity::{Assurance, Ctx, DemoRole, NewAccount, NewOfficer, Organisation, PersonActor, Role, Roles, Sex};
use jiff::civil::{Date, date};

use super::{DEPARTMENT, FIRE_POLICE, WARD};
use crate::node::Node;

/// The issuer of the demonstration's accounts.
pub const ISSUER: &str = "demo";

/// Whether the people were settled before.
///
/// # Errors
/// The database failed.
pub async fn are_there(node: &Node) -> anyhow::Result<bool> {
    let ctx = Ctx::system("demo", node.clock.now());
    Ok(node.identity.officer_by_login(&ctx, "tiepnhan").await.is_ok())
}

/// Officers of the ward and one account for a citizen and a business.
///
/// # Errors
/// The database failed.
pub async fn settle(node: &Node) -> anyhow::Result<()> {
    let ctx = Ctx::system("demo", node.clock.now());
    for new in officers() {
        node.identity.create_officer(&ctx, &new).await?;
    }
    for new in accounts() {
        node.identity.create_account(&ctx, &new).await?;
    }
    Ok(())
}

fn officers() -> Vec<NewOfficer> {
    let officer = |login: &str, name: &str, title: &str, agency: &str, role: Role, demo: Option<DemoRole>| NewOfficer {
        login: login.to_owned(),
        name: name.to_owned(),
        title: title.to_owned(),
        agency: agency.to_owned(),
        roles: Roles::of(&[role]),
        password: None,
        demo,
    };
    vec![
        officer(
            "tiepnhan",
            "Lê Thị Thu Hà",
            "Cán bộ Trung tâm Phục vụ hành chính công",
            WARD,
            Role::Receptionist,
            Some(DemoRole::Receptionist),
        ),
        officer(
            "chuyenvien",
            "Trần Quốc Bảo",
            "Công chức Tư pháp - Hộ tịch",
            WARD,
            Role::Specialist,
            Some(DemoRole::Specialist),
        ),
        officer(
            "chuyenvien2",
            "Phạm Hồng Nhung",
            "Công chức Địa chính - Xây dựng",
            WARD,
            Role::Specialist,
            None,
        ),
        officer(
            "lanhdao",
            "Nguyễn Đức Minh",
            "Phó Chủ tịch Ủy ban nhân dân phường",
            WARD,
            Role::Leader,
            Some(DemoRole::Leader),
        ),
        officer(
            "pccc",
            "Vũ Văn Thành",
            "Cán bộ thẩm duyệt phòng cháy",
            FIRE_POLICE,
            Role::Consulted,
            Some(DemoRole::Consulted),
        ),
        officer(
            "hatang",
            "Đỗ Thị Lan",
            "Chuyên viên hạ tầng",
            DEPARTMENT,
            Role::Consulted,
            None,
        ),
        officer(
            "quantri",
            "Bùi Anh Tuấn",
            "Công chức công nghệ thông tin",
            WARD,
            Role::Administrator,
            Some(DemoRole::Administrator),
        ),
        officer(
            "kiemtra",
            "Hoàng Thị Mai",
            "Thanh tra viên",
            WARD,
            Role::Auditor,
            Some(DemoRole::Auditor),
        ),
    ]
}

/// Name, personal number and day of birth of somebody whom the demonstration plays.
pub type Known = (&'static str, &'static str, Date);

/// The citizen.
pub const CITIZEN: Known = ("Nguyễn Thị Hương", "037190001234", date(1990, 5, 12));
/// The business person.
pub const BUSINESS: Known = ("Đinh Văn Long", "037085005678", date(1985, 9, 30));
/// Tax code and name of the company that the business person represents.
pub const COMPANY: (&str, &str) = ("0100112437", "Công ty TNHH Xây dựng Tràng An");

/// The citizen and the business person of the demonstration.
pub fn accounts() -> [NewAccount; 2] {
    let (name, number, birth) = CITIZEN;
    let citizen = NewAccount {
        person_number: Some(number.to_owned()),
        birth_date: Some(birth),
        sex: Some(Sex::Female),
        phone: Some("0912345678".to_owned()),
        email: Some("huong@example.vn".to_owned()),
        assurance: Assurance::Level2,
        demo: Some(DemoRole::Citizen),
        ..NewAccount::named(ISSUER, "citizen", name)
    };
    let (name, number, birth) = BUSINESS;
    let business = NewAccount {
        person_number: Some(number.to_owned()),
        birth_date: Some(birth),
        sex: Some(Sex::Male),
        phone: Some("0987654321".to_owned()),
        email: Some("vanphong@example.vn".to_owned()),
        assurance: Assurance::Level2,
        organisations: vec![Organisation {
            tax_code: COMPANY.0.to_owned(),
            name: COMPANY.1.to_owned(),
        }],
        demo: Some(DemoRole::Business),
        ..NewAccount::named(ISSUER, "business", name)
    };
    [citizen, business]
}

/// The citizen or the business of the demonstration, as signed in.
///
/// # Errors
/// The database failed, or the role is not a person's.
pub async fn person(node: &Node, role: DemoRole) -> anyhow::Result<PersonActor> {
    let new = accounts()
        .into_iter()
        .find(|a| a.demo == Some(role))
        .context("a person of the demonstration")?;
    signed_in(node, new).await
}

/// A person with an account, which is made where there is none yet.
///
/// # Errors
/// The database failed.
pub async fn signed_in(node: &Node, new: NewAccount) -> anyhow::Result<PersonActor> {
    let ctx = Ctx::system("demo", node.clock.now());
    let account = node.identity.create_account(&ctx, &new).await?;
    Ok(PersonActor {
        account,
        name: new.name,
        person_number: new.person_number,
        birth_date: new.birth_date,
        sex: new.sex,
        phone: new.phone,
        email: new.email,
        assurance: new.assurance,
        organisation: new.organisations.into_iter().next(),
    })
}
