//! Writes the style guide and the assets into a folder, to look at without a server:
//! `cargo run -p view --example styleguide -- DIR`.

use std::{fs, path::PathBuf, sync::Arc};

use base::{Lang, Text, Timestamp};
use http_body_util::BodyExt;
use view::{Link, NavItem, Page, Site, UserBadge, styleguide::State};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = PathBuf::from(std::env::args().nth(1).ok_or("usage: styleguide DIR")?);
    fs::create_dir_all(dir.join("assets"))?;
    for asset in view::assets::ASSETS {
        fs::write(dir.join("assets").join(asset.served), asset.bytes)?;
    }
    let site = Arc::new(Site {
        agency: Text::new(
            "Ủy ban nhân dân phường Thuận Hóa",
            "People's Committee of Thuận Hóa ward",
        ),
        hotline: "0234 3822 345".to_owned(),
        email: "motcua@thuanhoa.example".to_owned(),
        demo: true,
        footer: vec![
            Link::new("/cong-khai", "Công khai tiến độ giải quyết", "Published progress"),
            Link::new("/tro-nang", "Khả năng tiếp cận", "Accessibility"),
            Link::new("/api", "Giao diện lập trình (API)", "API"),
        ],
        ..Site::default()
    });
    fs::write(dir.join("assets/theme.css"), view::theme::stylesheet(&site.theme))?;
    for lang in [Lang::Vi, Lang::En] {
        for (state, name) in [
            (State::Empty, "empty"),
            (State::Filled, "filled"),
            (State::Error, "error"),
        ] {
            let mut page = Page::new(lang, Arc::clone(&site), "", "/styleguide");
            page.nav = vec![
                NavItem::new("/", "Trang chủ", "Home", true),
                NavItem::new("/dich-vu", "Dịch vụ công", "Services", false),
                NavItem::new("/tra-cuu", "Tra cứu hồ sơ", "Follow a dossier", false),
                NavItem::new("/so-lieu", "Số liệu", "Figures", false),
            ];
            if state != State::Empty {
                page.user = Some(UserBadge {
                    name: "Nguyễn Thị Ngọc Ánh".to_owned(),
                    role: Text::new("Công dân", "Citizen"),
                    menu: vec![
                        Link::new("/ho-so", "Hồ sơ của tôi", "My dossiers"),
                        Link::new("/sign-out", "Đăng xuất", "Sign out"),
                    ],
                });
            }
            let now = Timestamp::from_micros(1_795_228_920_000_000);
            let body = view::styleguide::styleguide(page, state, now)
                .into_body()
                .collect()
                .await?
                .to_bytes();
            fs::write(dir.join(format!("{name}.{}.html", lang.tag())), body)?;
        }
    }
    Ok(())
}
