//! `tracestate`: what other systems of tracing keep, carried on unread (W3C Trace Context Level 2, 3.3).

use std::collections::BTreeSet;

/// The longest `tracestate` that is carried on, in bytes (3.3.1.5).
pub const LONGEST_STATE: usize = 512;
/// Members longer than this go first when there is too much.
const LONG_MEMBER: usize = 128;
/// Most members.
const MOST_MEMBERS: usize = 32;
/// More than this is not read at all: 32 members of the longest form.
const LONGEST_READ: usize = MOST_MEMBERS * (256 + 1 + 256 + 1);

/// The members of all headers in their order, in one; none when there are none, or one is not as specified. Of too many bytes
/// the long members are left out, then those at the end.
pub(crate) fn read<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let (mut members, mut keys, mut bytes) = (Vec::new(), BTreeSet::new(), 0);
    for value in values {
        bytes += value.len();
        let text = std::str::from_utf8(value).ok().filter(|_| bytes <= LONGEST_READ)?;
        for member in text.split(',').map(|member| member.trim_matches([' ', '\t'])) {
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            if !(is_key(key) && is_value(value) && keys.insert(key) && members.len() < MOST_MEMBERS) {
                return None;
            }
            members.push(member);
        }
    }
    if length(&members) > LONGEST_STATE {
        members.retain(|member| member.len() <= LONG_MEMBER);
    }
    while length(&members) > LONGEST_STATE {
        members.pop();
    }
    (!members.is_empty()).then(|| members.join(","))
}

fn length(members: &[&str]) -> usize {
    members
        .iter()
        .map(|member| member.len() + 1)
        .sum::<usize>()
        .saturating_sub(1)
}

/// 3.3.1.3.1.
fn is_key(key: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = |byte: u8| first(byte) || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= 256 && key.bytes().next().is_some_and(first) && key.bytes().all(rest)
}

/// 3.3.1.3.2. White space around a member is not part of it.
fn is_value(value: &str) -> bool {
    let within = |byte: u8| matches!(byte, 0x20..=0x2b | 0x2d..=0x3c | 0x3e..=0x7e);
    (1..=256).contains(&value.len()) && value.bytes().all(within)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[&str]) -> Option<String> {
        read(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn members_are_carried_in_their_order() {
        assert_eq!(
            of(&["a=1, b@x=2 ,,", "", "3c/d=q r"]).as_deref(),
            Some("a=1,b@x=2,3c/d=q r")
        );
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["", " , "]), None);
    }

    #[test]
    fn one_wrong_member_ends_all() {
        for wrong in [
            "a",
            "=1",
            "a=",
            "A=1",
            "a=1=2",
            "a=1,a=2",
            "a=\u{e9}",
            "a b=1",
            "_a=1",
            "a=1;\u{7f}=2",
        ] {
            assert_eq!(of(&["ok=1", wrong]), None, "{wrong}");
        }
        let many: Vec<String> = (0..33).map(|n| format!("k{n}=v")).collect();
        assert_eq!(of(&[&many.join(",")]), None, "33 members");
        assert!(of(&[&many[1..].join(",")]).is_some());
        assert_eq!(of(&[&" ".repeat(LONGEST_READ + 1)]), None);
    }

    #[test]
    fn too_much_is_cut_at_members() {
        let (long, short) = (format!("long={}", "x".repeat(200)), format!("s={}", "y".repeat(100)));
        let many: Vec<String> = (0..5).map(|n| format!("k{n}={}", "z".repeat(100))).collect();
        let all = format!("{long},{short},{}", many.join(","));
        let kept = of(&[&all]).expect("some");
        assert!(kept.len() <= LONGEST_STATE && kept.starts_with(&short), "{kept}");
        assert!(kept.ends_with(&many[2]), "{kept}");
    }

    proptest! {
        #[test]
        fn what_is_kept_is_bounded_and_kept_again(values in prop::collection::vec("[a-z0-9=, @]{0,300}", 0..6)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            if let Some(kept) = of(&values) {
                prop_assert!(kept.len() <= LONGEST_STATE);
                let again = of(&[&kept]);
                prop_assert_eq!(again, Some(kept));
            }
        }
    }
}
