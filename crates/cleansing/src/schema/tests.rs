use proptest::prelude::*;

use super::*;

fn dictionary() -> Vec<Term> {
    vec![
        Term::new("full-name", ["Họ, chữ đệm và tên", "Full name"]).of(Sort::Name),
        Term::new("birth-date", ["Ngày, tháng, năm sinh", "Date of birth"]).of(Sort::Birthday),
        Term::new(
            "personal-number",
            ["Số định danh cá nhân", "Personal identification number"],
        )
        .of(Sort::IdNumber),
        Term::new("old-card", ["Số chứng minh nhân dân", "Old identity card number"]).of(Sort::IdNumber),
        Term::new("sex", ["Giới tính", "Sex"]).of(Sort::Sex),
        Term::new("phone", ["Số điện thoại", "Telephone number"]).of(Sort::Phone),
        Term::new("permanent-address", ["Nơi thường trú", "Địa chỉ thường trú"]).of(Sort::Address),
        Term::new("tax-code", ["Mã số thuế", "Tax code"]).of(Sort::TaxCode),
        Term::new("ethnicity", ["Dân tộc", "Ethnicity"]).of(Sort::Ethnicity),
        Term::new("father-name", ["Họ tên cha", "Full name of the father"]).of(Sort::Name),
        Term::new("issue-date", ["Ngày cấp", "Date of issue"]).of(Sort::Date),
    ]
}

const DUMP: &str = r#"
-- four engines in one dump
CREATE TABLE IF NOT EXISTS public."cong_dan" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "HoTen" character varying(100) NOT NULL,
    ngaysinh date, -- ngày sinh
    gt char(1) DEFAULT 'M' CHECK (gt IN ('M', 'F')),
    CONSTRAINT u UNIQUE (id, "HoTen")
);
COMMENT ON COLUMN public.cong_dan.gt IS 'Giới tính';
CREATE TABLE `NHAN_KHAU` (
  `SO_CMND` varchar(12) COMMENT 'Số CMND; nếu có',
  `SDT` varchar(15), /* a, b ( */
  `DC_THUONG_TRU` text,
  PRIMARY KEY (`SO_CMND`), KEY `k` (`SDT`)
) ENGINE=InnoDB COMMENT='nhân khẩu';
GO
CREATE TABLE [dbo].[DoanhNghiep] ([MST] nvarchar(14) NULL, [NgayCap] datetime, [TenCha] nvarchar(50), [GhiChu] nvarchar(max));
CREATE GLOBAL TEMPORARY TABLE CANBO.T1 (SO_CCCD VARCHAR2(12 CHAR), DAN_TOC NUMBER(2,0) DEFAULT (1), HOTENCHA NVARCHAR2(100));
INSERT INTO t VALUES ('CREATE TABLE x (y int);');
"#;

#[test]
fn dumps_of_four_engines_are_read() {
    let columns = columns_of_ddl(DUMP);
    let shown: Vec<String> = columns
        .iter()
        .map(|c| format!("{} {} {}", c.table, c.name, c.data_type))
        .collect();
    assert_eq!(
        shown,
        [
            "public.cong_dan id bigint",
            "public.cong_dan HoTen character varying(100)",
            "public.cong_dan ngaysinh date",
            "public.cong_dan gt char(1)",
            "NHAN_KHAU SO_CMND varchar(12)",
            "NHAN_KHAU SDT varchar(15)",
            "NHAN_KHAU DC_THUONG_TRU text",
            "dbo.DoanhNghiep MST nvarchar(14)",
            "dbo.DoanhNghiep NgayCap datetime",
            "dbo.DoanhNghiep TenCha nvarchar(50)",
            "dbo.DoanhNghiep GhiChu nvarchar(max)",
            "CANBO.T1 SO_CCCD VARCHAR2(12 CHAR)",
            "CANBO.T1 DAN_TOC NUMBER(2,0)",
            "CANBO.T1 HOTENCHA NVARCHAR2(100)",
        ]
    );
    assert_eq!(
        (columns[3].comment.as_str(), columns[4].comment.as_str()),
        ("Giới tính", "Số CMND; nếu có")
    );
}

#[test]
fn columns_find_their_terms() {
    let found = scan(&columns_of_ddl(DUMP), &dictionary());
    let best: Vec<String> = found
        .matched
        .iter()
        .map(|m| format!("{} {}", m.column, m.proposals.first().map_or("-", |p| p.term.as_str())))
        .collect();
    assert_eq!(
        best,
        [
            "id -",
            "HoTen full-name",
            "ngaysinh birth-date",
            "gt sex",
            "SO_CMND old-card",
            "SDT phone",
            "DC_THUONG_TRU permanent-address",
            "MST tax-code",
            "NgayCap issue-date",
            "TenCha father-name",
            "GhiChu -",
            "SO_CCCD personal-number",
            "DAN_TOC ethnicity",
            "HOTENCHA father-name",
        ]
    );
    assert_eq!((found.coverage.columns, found.coverage.proposed), (14, 12));
    assert_eq!(found.coverage.percent(), 85.7);
    assert_eq!(
        found.tables[0],
        (
            "public.cong_dan".to_owned(),
            Coverage {
                columns: 4,
                proposed: 3,
                sure: 3
            }
        )
    );
    assert_eq!(scan(&[], &dictionary()).coverage.percent(), 0.0);
}

#[test]
fn types_and_samples_speak_too() {
    let column = |name: &str, data_type: &str, samples: &[&str]| Column {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        samples: samples.iter().map(|s| (*s).to_owned()).collect(),
        ..Column::default()
    };
    let columns = [
        column("NGAY_SINH", "date", &[]),
        column("NGAY_SINH", "bit", &[]),
        column("SO_DT", "varchar(20)", &["0912345678", "912345678"]),
        column("SO_DT", "varchar(20)", &["Nguyễn Văn An", "-"]),
    ];
    let found = scan(&columns, &dictionary());
    let score = |n: usize| found.matched[n].proposals.first().map_or(0, |p| p.score);
    assert!(score(0) > score(1) && score(2) > score(3), "{found:?}");
    let why = &found.matched[2].proposals[0].why;
    assert!(why.contains(&Why::Samples));
}

#[test]
fn a_list_of_columns_is_read() {
    let text =
        "TABLE_SCHEMA,TABLE_NAME,COLUMN_NAME,DATA_TYPE,COLUMN_COMMENT\ndan,NHAN,HO_TEN,nvarchar,\n,X,Y,int,Giới tính\n";
    let columns = columns_of_csv(text).expect("a list");
    assert_eq!(
        (
            columns[0].table.as_str(),
            columns[1].table.as_str(),
            columns[1].comment.as_str()
        ),
        ("dan.NHAN", "X", "Giới tính")
    );
    let refused = columns_of_csv("a,b\n1,2\n").expect_err("no headings");
    assert_eq!(
        refused
            .problems()
            .and_then(|p| p.iter().next())
            .map(|p| p.code.as_str()),
        Some("bad-columns")
    );
}

proptest! {
    #[test]
    fn any_dump_is_survived(sql in "(CREATE TABLE |\\(|\\)|,|;|'|\"|\\[|`|--|/\\*|COMMENT ON COLUMN |[a-zà-ỹ_.]{1,6} ){0,30}|\\PC{0,60}") {
        let columns = columns_of_ddl(&sql);
        let _ = scan(&columns, &dictionary());
        let _ = columns_of_csv(&sql);
    }
}
