//! Names of persons.

use base::{
    codes::CodeError,
    text::{check_person_name, fold, title_case_name},
};

use super::{Outcome, Refused, Standard, Step, TonePlace, text_with};
use crate::syllable::is_syllable;

/// The name of a person (họ, chữ đệm và tên).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The whole name as it is written: `Nguyễn Thị Ánh`.
    pub full: String,
    /// The family name; empty where it has none.
    pub family: String,
    /// What stands between; often empty.
    pub middle: String,
    /// The given name.
    pub given: String,
}

/// [`name_with`] the tone on the first vowel.
pub fn name(raw: &str) -> Outcome<Name> {
    name_with(raw, TonePlace::First)
}

/// The family names that nine of ten Vietnamese bear, and frequent ones beside them, folded.
const FAMILIES: &str = " nguyen tran le pham huynh hoang phan vu vo dang bui do ho ngo duong ly dao doan vuong trinh truong dinh lam \
    luong ta cao mai to luu ha chau thai quach tang nghiem chu trieu kieu la tong thach phung quan diep kim on khuc doi vi nong \
    ma be hua lo giang thao sung vang giap lu cam lai nhan danh son nghi mac tieu ";
/// Family names that hardly anyone is given as a first name: at the end of a name they speak for the other order.
const NEVER_GIVEN: &str = " nguyen tran pham huynh phan dang bui ngo truong trinh ";
/// Family names of two words or more, folded.
const LONG_FAMILIES: [&str; 7] = [
    "cong tang ton nu",
    "ton that",
    "ton nu",
    "au duong",
    "hoang phu",
    "tu ma",
    "ro cham",
];
/// Family names of the peoples of the Central Highlands that stand last, folded, the longer first.
const LAST_FAMILIES: [&str; 17] = [
    "nie kdam",
    "buon krong",
    "buon ya",
    "nie",
    "eban",
    "mlo",
    "kbuor",
    "ksor",
    "kpa",
    "rmah",
    "ayun",
    "hmok",
    "ktla",
    "kdam",
    "adrong",
    "bya",
    "knul",
];
/// Forms of address and degrees, folded, without their dot.
const TITLES: [&str; 22] = [
    "ong", "ba", "anh", "chi", "em", "chau", "co", "chu", "bac", "ths", "ts", "pgs", "gs", "bs", "ks", "ls", "cn",
    "dr", "mr", "mrs", "ms", "be",
];

/// The name of a person: composed, look-alike letters and tone places put right, without forms of address, with capitals, and
/// split into its parts. Names of other peoples and languages keep their spelling (`H'Hen Niê`, `McDonald`).
///
/// Doubts: `maybe-title`, where the first word may be a form of address or a family name; `name-order`, where the family
/// name seems to stand last, with the turned name as alternative; `one-word-name`.
///
/// # Errors
/// What [`check_person_name`] says: `required`, `too-long`, `not-a-name`; and `control-character`.
pub fn name_with(raw: &str, tone: TonePlace) -> Outcome<Name> {
    let text = text_with(raw, tone).map_err(|r| Refused::from(r.reason))?;
    // "Nguyễn, Văn An" and a stop at the end.
    let stripped = super::text::spaces(&text.value.replace([',', ';'], " "));
    let stripped = stripped.trim_end_matches(['.', ':']).trim().to_owned();
    let (titled, doubt) = without_title(&stripped);
    check_person_name(&titled)?;
    let cased = casing(&titled);
    let full = super::text::place_tones(&cased, tone);
    // A few letters have their capital in another block than Latin names are taken from.
    check_person_name(&full)?;
    let mut standard = Standard::new(split(&full))
        .step(Step::Spaces, stripped != text.value)
        .step(Step::Title, titled != stripped)
        .step(Step::Case, cased != titled);
    standard.steps.splice(0..0, text.steps);
    standard.doubts.extend(doubt);
    let words: Vec<&str> = full.split(' ').collect();
    if let [_] = words.as_slice() {
        standard = standard.doubt(CodeError::new(
            "one-word-name",
            "Họ tên chỉ có một từ. Kiểm tra xem có bị cắt bớt không.",
            "The name is a single word. Check whether it was cut.",
        ));
    }
    if let [first, between @ .., last] = words.as_slice()
        && !between.is_empty()
        && !is_family(first)
        && NEVER_GIVEN.contains(&format!(" {} ", fold(last)))
    {
        let mut turned = vec![*last];
        // "An Văn Nguyễn" is Nguyễn Văn An.
        turned.extend(between);
        turned.push(first);
        standard.alternatives.push(split(&turned.join(" ")));
        standard = standard.doubt(CodeError::new(
            "name-order",
            "Có thể họ đã bị ghi sau tên. Kiểm tra thứ tự họ, chữ đệm, tên.",
            "The family name may have been written last. Check the order.",
        ));
    }
    Ok(standard)
}

fn is_family(word: &str) -> bool {
    FAMILIES.contains(&format!(" {} ", fold(word)))
}

/// The name without a form of address. One that is also a family name (Ông, Cô, Chu) is kept, and doubted, unless a family
/// name follows.
fn without_title(name: &str) -> (String, Option<CodeError>) {
    let mut rest = name;
    while let Some((first, after)) = rest.split_once([' ', '.', ':']) {
        let dotted = rest.as_bytes().get(first.len()).is_some_and(|b| *b != b' ');
        let after = after.trim_start_matches(['.', ':', ' ']);
        if after.is_empty() || !TITLES.contains(&fold(first).as_str()) {
            break;
        }
        let mut following = after.split(' ');
        let family_follows = following.next().is_some_and(is_family) && following.next().is_some();
        if dotted || family_follows {
            rest = after;
            continue;
        }
        let ambiguous = matches!(fold(first).as_str(), "ong" | "ba" | "anh" | "chi") && after.contains(' ');
        let doubt = ambiguous.then(|| {
            CodeError::new(
                "maybe-title",
                "Từ đầu có thể là từ xưng hô chứ không phải họ.",
                "The first word may be a form of address and not a family name.",
            )
        });
        return (rest.to_owned(), doubt);
    }
    (rest.to_owned(), None)
}

/// Capitals: the whole name where it is in one case, else only the words that are wrong.
fn casing(name: &str) -> String {
    let one_case = !name.chars().any(char::is_lowercase) || !name.chars().any(char::is_uppercase);
    if one_case {
        return title_case_name(name);
    }
    let words: Vec<String> = name
        .split(' ')
        .map(|word| {
            let titled = title_case_name(word);
            let own_way =
                word.starts_with(char::is_uppercase) && word.chars().any(char::is_lowercase) && !is_syllable(word);
            if own_way { word.to_owned() } else { titled }
        })
        .collect();
    words.join(" ")
}

fn split(full: &str) -> Name {
    let words: Vec<&str> = full.split(' ').collect();
    let folded: Vec<String> = words.iter().map(|w| fold(w)).collect();
    let name = |family: &[&str], middle: &[&str], given: &[&str]| Name {
        full: full.to_owned(),
        family: family.join(" "),
        middle: middle.join(" "),
        given: given.join(" "),
    };
    let key = folded.join(" ");
    // "Y Moan Êban", "H'Hen Niê": the family name last.
    let marked = folded
        .first()
        .is_some_and(|f| matches!(f.as_str(), "y" | "h" | "k") || f.starts_with("h'") || f.starts_with("k'"));
    if marked {
        let long = LAST_FAMILIES
            .iter()
            .find(|family| key.strip_suffix(**family).is_some_and(|head| head.ends_with(' ')));
        let size = long.map_or(usize::from(words.len() > 2), |family| family.split(' ').count());
        let (given, family) = words.split_at(words.len() - size.min(words.len()));
        return name(family, &[], given);
    }
    let long = LONG_FAMILIES
        .iter()
        .find(|family| key.strip_prefix(**family).is_some_and(|tail| tail.starts_with(' ')));
    let size = long.map_or(1, |family| family.split(' ').count());
    match words.split_at_checked(size) {
        Some((family, [middle @ .., given])) => name(family, middle, &[given]),
        _ => name(&[], &[], &words),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(raw: &str) -> (String, String, String) {
        let n = name(raw).expect(raw).value;
        (n.family, n.middle, n.given)
    }

    #[test]
    fn dirty_names_are_written_one_way() {
        for (raw, full) in [
            ("NGUYỄN VĂN AN", "Nguyễn Văn An"),
            ("nguyễn  thị   hoà", "Nguyễn Thị Hòa"),
            ("NGUYỄN Văn an", "Nguyễn Văn An"),
            ("Nguyễn, Văn An.", "Nguyễn Văn An"),
            ("ÐẶNG THỊ THUỶ", "Đặng Thị Thủy"),
            ("Ông Nguyễn Văn An", "Nguyễn Văn An"),
            ("Bà: Trần Thị Bưởi", "Trần Thị Bưởi"),
            ("PGS.TS. Lê Văn Tám", "Lê Văn Tám"),
            ("H’HEN NIÊ", "H'Hen Niê"),
            ("y moan êban", "Y Moan Êban"),
            ("Rơ Châm H’Yéo", "Rơ Châm H'Yéo"),
            ("John McDonald", "John McDonald"),
            ("Trần Ðức Ửng", "Trần Đức Ửng"),
        ] {
            assert_eq!(name(raw).expect(raw).value.full, full, "{raw}");
        }
    }

    #[test]
    fn a_name_is_split() {
        let triple = |f: &str, m: &str, g: &str| (f.to_owned(), m.to_owned(), g.to_owned());
        assert_eq!(parts("Nguyễn Thị Minh Khai"), triple("Nguyễn", "Thị Minh", "Khai"));
        assert_eq!(parts("Lê Anh"), triple("Lê", "", "Anh"));
        assert_eq!(parts("Tôn Nữ Thị Ninh"), triple("Tôn Nữ", "Thị", "Ninh"));
        assert_eq!(parts("Y Ngông Niê Kdăm"), triple("Niê Kdăm", "", "Y Ngông"));
        assert_eq!(parts("H'Hen Niê"), triple("Niê", "", "H'Hen"));
        assert_eq!(parts("K'Brêu"), triple("", "", "K'Brêu"));
    }

    #[test]
    fn what_is_doubtful_is_said() {
        let codes = |raw: &str| {
            name(raw)
                .expect(raw)
                .doubts
                .iter()
                .map(CodeError::code)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes("Ông Văn Tùng"), ["maybe-title"]);
        assert_eq!(codes("An"), ["one-word-name"]);
        assert_eq!(codes("An Văn Nguyễn"), ["name-order"]);
        assert_eq!(
            name("An Văn Nguyễn").expect("a name").alternatives[0].full,
            "Nguyễn Văn An"
        );
        assert!(codes("Anh Lê Hoàng").is_empty());
        assert_eq!(
            name("Nguyễn Văn An (chết)").map_err(|r| r.reason.code()),
            Err("not-a-name")
        );
        assert_eq!(name("0912345678").map_err(|r| r.reason.code()), Err("not-a-name"));
    }

    proptest! {
        #[test]
        fn twice_is_once(raw in "([oO]ng |Bà |TS\\.)?[a-zà-ỹA-ZĐ'’]{1,8}( [a-zà-ỹA-ZĐ'-]{1,7}){0,4}") {
            if let Ok(once) = name(&raw) {
                let again = name(&once.value.full).expect("a standard form");
                prop_assert_eq!(&again.value, &once.value);
                prop_assert!(again.steps.is_empty(), "{:?}", again.steps);
            }
        }

        #[test]
        fn any_text_is_taken(raw in "\\PC{0,40}|.{0,20}") {
            let _ = name(&raw);
        }
    }
}
