//! The rule for passwords: long rather than complicated, as NIST SP 800-63B section 3.1.1 advises.

use base::Problems;

/// Least number of characters of an officer's password.
pub const MIN_PASSWORD: usize = 12;
/// A bound on the work of the hash.
const MAX_PASSWORD: usize = 256;
/// Beginnings that guessers try first.
const COMMON: [&str; 12] = [
    "123456", "password", "matkhau", "qwerty", "abc123", "111111", "iloveyou", "admin", "vietnam", "congchuc",
    "motcua", "anhyeuem",
];

/// What is wrong with a new password, at the field `at`.
pub fn check_password(password: &str, login: &str, at: &str) -> Problems {
    let mut problems = Problems::new();
    let length = password.chars().count();
    if length < MIN_PASSWORD {
        problems.add(
            "too-short",
            at,
            format!("Mật khẩu phải có ít nhất {MIN_PASSWORD} ký tự. Một câu ngắn dễ nhớ là tốt nhất."),
            format!("A password has at least {MIN_PASSWORD} characters. A short sentence is best."),
        );
        return problems;
    }
    if length > MAX_PASSWORD {
        problems.add(
            "too-long",
            at,
            format!("Mật khẩu có tối đa {MAX_PASSWORD} ký tự."),
            format!("A password has at most {MAX_PASSWORD} characters."),
        );
        return problems;
    }
    let lower = password.to_lowercase();
    let login = login.trim().to_lowercase();
    let mut rest = lower.clone();
    for common in COMMON {
        rest = rest.replace(common, "");
    }
    if login.len() >= 3 {
        rest = rest.replace(&login, "");
    }
    let mut distinct: Vec<char> = rest.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 {
        problems.add(
            "too-common",
            at,
            "Mật khẩu này dễ đoán. Hãy chọn mật khẩu không chứa tên đăng nhập, dãy số hoặc từ thông dụng.",
            "This password is easy to guess. Choose one without the login name, runs of digits or common words.",
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_self_named_passwords_are_refused() {
        for bad in [
            "ngan",
            "password1234",
            "aaaaaaaaaaaaaaa",
            "lan.nguyen1lan.nguyen",
            "matkhaumatkhau123456",
        ] {
            assert!(!check_password(bad, "lan.nguyen", "p").is_empty(), "{bad}");
        }
        for good in ["cơm tấm sườn bì chả", "tro*ng cay-nao2ra qua", "xanh biec 7 con song"] {
            assert!(check_password(good, "lan.nguyen", "p").is_empty(), "{good}");
        }
        assert!(!check_password(&"dài lắm ".repeat(100), "x", "p").is_empty());
    }
}
