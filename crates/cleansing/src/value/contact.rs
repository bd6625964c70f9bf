//! Telephone numbers and addresses of e-mail.

use base::codes::{CodeError, PhoneNumber};

use super::{Outcome, Refused, Standard, Step, is_powers_of_ten, lost_digits, lost_zero, plain_digits, text::spaces};

/// Mobile prefixes of 11-digit numbers and their successors, from 15 September 2018. Decision 798/QĐ-BTTTT of 2018.
const MOBILE_2018: [(&str, &str); 21] = [
    ("120", "70"),
    ("121", "79"),
    ("122", "77"),
    ("123", "83"),
    ("124", "84"),
    ("125", "85"),
    ("126", "76"),
    ("127", "81"),
    ("128", "78"),
    ("129", "82"),
    ("162", "32"),
    ("163", "33"),
    ("164", "34"),
    ("165", "35"),
    ("166", "36"),
    ("167", "37"),
    ("168", "38"),
    ("169", "39"),
    ("186", "56"),
    ("188", "58"),
    ("199", "59"),
];

/// Area codes until 2017 and their successors, without the trunk 0. Decision 2036/QĐ-BTTTT of 21 November 2016, in three steps
/// from 11 February, 15 April and 17 June 2017. Phú Thọ (210), Vĩnh Phúc (211), Hòa Bình (218) and Hà Giang (219) kept theirs.
const AREAS_2017: [(&str, &str); 59] = [
    ("20", "214"),
    ("22", "212"),
    ("230", "215"),
    ("231", "213"),
    ("240", "204"),
    ("241", "222"),
    ("25", "205"),
    ("26", "206"),
    ("27", "207"),
    ("280", "208"),
    ("281", "209"),
    ("29", "216"),
    ("30", "229"),
    ("31", "225"),
    ("320", "220"),
    ("321", "221"),
    ("33", "203"),
    ("350", "228"),
    ("351", "226"),
    ("36", "227"),
    ("37", "237"),
    ("38", "238"),
    ("39", "239"),
    ("4", "24"),
    ("500", "262"),
    ("501", "261"),
    ("510", "235"),
    ("511", "236"),
    ("52", "232"),
    ("53", "233"),
    ("54", "234"),
    ("55", "255"),
    ("56", "256"),
    ("57", "257"),
    ("58", "258"),
    ("59", "269"),
    ("60", "260"),
    ("61", "251"),
    ("62", "252"),
    ("63", "263"),
    ("64", "254"),
    ("650", "274"),
    ("651", "271"),
    ("66", "276"),
    ("67", "277"),
    ("68", "259"),
    ("70", "270"),
    ("710", "292"),
    ("711", "293"),
    ("72", "272"),
    ("73", "273"),
    ("74", "294"),
    ("75", "275"),
    ("76", "296"),
    ("77", "297"),
    ("780", "290"),
    ("781", "291"),
    ("79", "299"),
    ("8", "28"),
];

/// Area codes in force.
const AREAS: &str = " 203 204 205 206 207 208 209 210 211 212 213 214 215 216 218 219 220 221 222 225 226 227 228 229 232 233 234 \
    235 236 237 238 239 251 252 254 255 256 257 258 259 260 261 262 263 269 270 271 272 273 274 275 276 277 290 291 292 293 294 \
    296 297 299 ";

/// Prefixes of mobile numbers in force, two digits after the trunk 0.
const MOBILES: &str =
    " 32 33 34 35 36 37 38 39 52 55 56 58 59 70 76 77 78 79 81 82 83 84 85 86 87 88 89 90 91 92 93 94 96 97 98 99 ";

/// A telephone number as `+84…`. Prefixes that went out of use are replaced by their successors: those of 11-digit mobile
/// numbers (2018) and area codes (2017).
///
/// Alternatives: a number that is a mobile number of today may have been written down as a landline before 2017 (08 3825
/// 1234); other numbers of the same cell. Doubts: `old-landline`, `several-numbers`.
///
/// # Errors
/// `lost-zero` with the number that it may have been, `lost-digits`, `no-area-code` for a local number alone,
/// `not-a-phone-number`.
pub fn phone(raw: &str) -> Outcome<PhoneNumber> {
    let parts: Vec<&str> = raw
        .split(['/', ';', ',', '\n', '|'])
        .flat_map(|p| p.split(" - "))
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .collect();
    let [first, others @ ..] = parts.as_slice() else {
        return Err(refusal().into());
    };
    let mut standard = one(first)?;
    if !others.is_empty() {
        for other in others {
            standard.alternatives.push(one(other)?.value);
        }
        standard = standard.doubt(CodeError::new(
            "several-numbers",
            "Ô có nhiều số điện thoại; lấy số đầu tiên.",
            "The cell has several numbers; the first is taken.",
        ));
    }
    let changed = standard.value.as_str() != raw;
    Ok(if standard.steps.is_empty() {
        standard.step(Step::CountryCode, changed)
    } else {
        standard
    })
}

fn refusal() -> CodeError {
    match "".parse::<PhoneNumber>() {
        Err(reason) => reason,
        // The empty text is no number; were it one, this would be the reason all the same.
        Ok(_) => CodeError::new(
            "not-a-phone-number",
            "Không phải số điện thoại.",
            "Not a telephone number.",
        ),
    }
}

fn one(raw: &str) -> Outcome<PhoneNumber> {
    if is_powers_of_ten(raw) {
        return Err(lost_digits().into());
    }
    let plain = spaces(raw).replace("(0)", "").replace(['(', ')'], " ");
    let labelled = plain
        .trim()
        .trim_start_matches(|c: char| c.is_alphabetic() || matches!(c, ':' | '.' | ' '));
    let foreign = labelled
        .strip_prefix('+')
        .filter(|rest| !rest.trim_start().starts_with("84"));
    let digits = plain_digits(labelled.trim_start_matches('+'))
        .filter(|_| foreign.is_none())
        .ok_or_else(refusal)?;
    let international = labelled.starts_with('+') || digits.starts_with("0084");
    let after_84 = digits
        .trim_start_matches("00")
        .strip_prefix("84")
        .filter(|rest| international || rest.len() >= 9);
    let (national, trunk) = match (after_84, digits.strip_prefix('0')) {
        (Some(rest), _) if international || !digits.starts_with('0') => (rest.strip_prefix('0').unwrap_or(rest), true),
        (_, Some(rest)) => (rest, true),
        _ => (digits.as_str(), false),
    };
    if !trunk {
        return without_trunk(&digits);
    }
    subscriber(national)
}

/// Digits after the trunk 0.
fn subscriber(national: &str) -> Outcome<PhoneNumber> {
    let parse = |digits: &str| format!("+84{digits}").parse::<PhoneNumber>();
    let has = |list: &str, n: usize| {
        national
            .get(..n)
            .is_some_and(|head| list.contains(&format!(" {head} ")))
    };
    let old_landline = AREAS_2017
        .iter()
        .find_map(|(old, new)| national.strip_prefix(old).map(|local| format!("{new}{local}")))
        .filter(|number| number.len() == 10);
    match national.len() {
        9 if has(MOBILES, 2) => {
            let mut standard = Standard::new(parse(national)?);
            standard.alternatives.extend(old_landline.and_then(|n| parse(&n).ok()));
            Ok(standard)
        }
        10 if has(AREAS, 3) || national.starts_with("24") || national.starts_with("28") => {
            Ok(Standard::new(parse(national)?))
        }
        10 if national.starts_with('1') => {
            let moved = MOBILE_2018
                .iter()
                .find_map(|(old, new)| national.strip_prefix(old).map(|rest| format!("{new}{rest}")));
            let number = parse(&moved.ok_or_else(refusal)?)?;
            Ok(Standard::new(number).step(Step::MobilePrefix, true))
        }
        _ => match old_landline {
            Some(number) => Ok(Standard::new(parse(&number)?)
                .step(Step::AreaCode, true)
                .doubt(CodeError::new(
                    "old-landline",
                    "Số cố định ghi mã vùng cũ, đã đổi sang mã vùng năm 2017. Kiểm tra số còn dùng không.",
                    "A landline with its old area code, replaced by the one of 2017. Check whether it is still in use.",
                ))),
            None => Err(refusal().into()),
        },
    }
}

/// Digits without a trunk 0 and without a country code: a zero was lost, or it is a local number.
fn without_trunk(digits: &str) -> Outcome<PhoneNumber> {
    if let Ok(found) = subscriber(digits)
        && digits.len() >= 9
    {
        return Err(Refused {
            reason: lost_zero(),
            proposals: vec![found.value],
        });
    }
    if matches!(digits.len(), 7 | 8) {
        return Err(CodeError::new(
            "no-area-code",
            "Số cố định không có mã vùng, hoặc thiếu chữ số. Bổ sung mã vùng của tỉnh.",
            "A local number without its area code, or digits are missing. Add the area code of the province.",
        )
        .into());
    }
    Err(refusal().into())
}

/// An address of e-mail, in small letters.
///
/// # Errors
/// `not-an-email`; with a proposal where a well-known host is misspelt.
pub fn email(raw: &str) -> Outcome<String> {
    let text = spaces(raw).to_lowercase();
    let bare = text
        .trim_start_matches("mailto:")
        .trim_matches(|c| matches!(c, '<' | '>' | ';' | ',' | '.' | ' '));
    let reason = || {
        CodeError::new(
            "not-an-email",
            "Địa chỉ thư điện tử có dạng ten@coquan.gov.vn.",
            "An address of e-mail looks like name@agency.gov.vn.",
        )
    };
    let (user, host) = bare.split_once('@').ok_or_else(reason)?;
    let user_ok = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    let label_ok = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let ending_ok = host
        .rsplit('.')
        .next()
        .is_some_and(|l| l.len() >= 2 && l.bytes().all(|b| b.is_ascii_alphabetic()));
    let good = (1..=64).contains(&user.len())
        && user.chars().all(user_ok)
        && !user.starts_with('.')
        && !user.ends_with('.')
        && !user.contains("..")
        && host.len() <= 253
        && host.contains('.')
        && host.split('.').all(label_ok)
        && ending_ok;
    if !good {
        return Err(reason().into());
    }
    const MISSPELT: [(&str, &str); 8] = [
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.cm", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmial.com", "gmail.com"),
        ("gmail.com.vn", "gmail.com"),
        ("yahoo.con", "yahoo.com"),
        ("yaho.com", "yahoo.com"),
    ];
    if let Some((_, meant)) = MISSPELT.iter().find(|(wrong, _)| *wrong == host) {
        return Err(Refused {
            reason: CodeError::new(
                "misspelt-host",
                "Tên máy chủ thư có vẻ viết sai.",
                "The host of the address seems misspelt.",
            ),
            proposals: vec![format!("{user}@{meant}")],
        });
    }
    let (value, stripped) = (bare.to_owned(), bare.len() != raw.len());
    Ok(Standard::new(value)
        .step(Step::Spaces, stripped)
        .step(Step::Case, raw.chars().any(char::is_uppercase)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(raw: &str) -> String {
        match phone(raw) {
            Ok(s) => {
                let more: Vec<String> = s
                    .doubts
                    .iter()
                    .map(|d| d.code().to_owned())
                    .chain(s.alternatives.iter().map(|a| format!("or {a}")))
                    .collect();
                format!("{} {}", s.value, more.join(" ")).trim_end().to_owned()
            }
            Err(r) => {
                let proposals: Vec<&str> = r.proposals.iter().map(PhoneNumber::as_str).collect();
                format!("! {} {}", r.reason.code(), proposals.join(" "))
                    .trim_end()
                    .to_owned()
            }
        }
    }

    #[test]
    fn telephone_numbers_of_every_age() {
        for (raw, expected) in [
            ("0912 345 678", "+84912345678"),
            ("+84 (0)912-345-678", "+84912345678"),
            ("84912345678", "+84912345678"),
            ("0084912345678", "+84912345678"),
            ("ĐT: 0912.345.678", "+84912345678"),
            ("01681234567", "+84381234567"),
            ("+841681234567", "+84381234567"),
            ("0199 1234567", "+84591234567"),
            ("0229 3871 234", "+842293871234"),
            ("(030) 3871 234", "+842293871234 old-landline"),
            ("0438251234", "+842438251234 old-landline"),
            ("04 3825 1234", "+842438251234 old-landline"),
            ("0838251234", "+84838251234 or +842838251234"),
            (
                "0912345678 / 0983456789",
                "+84912345678 several-numbers or +84983456789",
            ),
            ("912345678", "! lost-zero +84912345678"),
            ("912345678.0", "! lost-zero +84912345678"),
            ("1681234567", "! lost-zero +84381234567"),
            ("84012345", "! no-area-code"),
            ("3871234", "! no-area-code"),
            ("9.12346E+08", "! lost-digits"),
            ("0952345678", "! not-a-phone-number"),
            ("01301234567", "! not-a-phone-number"),
            ("+1 202 555 0123", "! not-a-phone-number"),
            ("không có", "! not-a-phone-number"),
            ("", "! not-a-phone-number"),
        ] {
            assert_eq!(shown(raw), expected, "{raw}");
        }
    }

    #[test]
    fn the_tables_are_whole() {
        assert_eq!(
            AREAS.split_whitespace().count(),
            61,
            "63 provinces less Hà Nội and Hồ Chí Minh City, which have two digits"
        );
        for (_, new) in AREAS_2017 {
            assert!(new.len() == 2 || AREAS.contains(&format!(" {new} ")), "{new}");
        }
        for (_, new) in MOBILE_2018 {
            assert!(MOBILES.contains(&format!(" {new} ")), "{new}");
        }
        let mut successors: Vec<&str> = AREAS_2017.iter().map(|(_, new)| *new).collect();
        successors.sort_unstable();
        successors.dedup();
        assert_eq!(successors.len(), 59);
    }

    #[test]
    fn addresses_of_email() {
        assert_eq!(
            email(" Nguyen.An@Example.VN ").map(|s| s.value),
            Ok("nguyen.an@example.vn".to_owned())
        );
        assert_eq!(
            email("mailto:an@example.vn;").map(|s| s.value),
            Ok("an@example.vn".to_owned())
        );
        let refused = email("an@gmail.con").expect_err("misspelt");
        assert_eq!(
            (refused.reason.code(), refused.proposals),
            ("misspelt-host", vec!["an@gmail.com".to_owned()])
        );
        for bad in [
            "",
            "an",
            "an@",
            "@x.vn",
            "an@x",
            "a n@x.vn",
            "ân@x.vn",
            "an@@x.vn",
            "an@x..vn",
            "an@-x.vn",
            "an@10.0.0.1",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn twice_is_once(raw in "(\\+84|0|84|)[0-9 .]{6,13}") {
            if let Ok(once) = phone(&raw) {
                let again = phone(once.value.as_str()).expect("a standard form");
                prop_assert_eq!(&again.value, &once.value);
                prop_assert!(again.steps.is_empty());
            }
            if let Ok(once) = email(&format!("{raw}@A.vn")) {
                prop_assert_eq!(email(&once.value).map(|s| s.steps), Ok(Vec::new()));
            }
        }

        #[test]
        fn any_text_is_taken(raw in "\\PC{0,40}|.{0,20}|[0-9eE+./()-]{0,20}|.{0,5}@.{0,9}") {
            let _ = (phone(&raw), email(&raw));
        }
    }
}
