//! What purposes mean, in words: people read them in their data tracker, and officers choose by them.

use std::collections::BTreeMap;

use base::Text;

use super::Purpose;

/// The purposes for which the program itself asks and tells.
const OF_PROGRAM: [(&str, &str, &str); 21] = [
    (
        "consultation",
        "Lấy ý kiến cơ quan khác khi giải quyết hồ sơ",
        "Asking another agency for its opinion on a dossier",
    ),
    (
        "dossier.verify",
        "Xác minh thông tin khi giải quyết hồ sơ",
        "Checking what a dossier says",
    ),
    (
        "exchange.access",
        "Đề nghị và cấp quyền khai thác dữ liệu",
        "Asking for and giving rights to data",
    ),
    (
        "exchange.map",
        "Đếm lượt chia sẻ dữ liệu giữa các cơ quan",
        "Counting what agencies exchange",
    ),
    (
        "proactive.act",
        "Chủ động thực hiện dịch vụ công cho người dân",
        "Doing for people what is theirs before they ask",
    ),
    (
        "proactive.await",
        "Theo dõi sự kiện để chủ động phục vụ người dân",
        "Following events in order to serve people before they ask",
    ),
    (
        "proactive.prefill",
        "Chủ động chuẩn bị hồ sơ cho người dân",
        "Preparing an application before a person asks",
    ),
    (
        "proactive.recommend",
        "Chủ động gợi ý dịch vụ công phù hợp",
        "Recommending a service that fits",
    ),
    (
        "proactive.remind",
        "Chủ động nhắc người dân về quyền lợi chưa đề nghị",
        "Reminding people of what they have not asked for",
    ),
    (
        "procedure.contest",
        "Chuyển phản ánh của người dân về dữ liệu",
        "Passing on what a person contests",
    ),
    (
        "procedure.prefill",
        "Điền sẵn tờ khai của thủ tục hành chính",
        "Filling in the form of a procedure",
    ),
    (
        "procedure.write",
        "Ghi nhận kết quả giải quyết thủ tục hành chính",
        "Writing the result of a procedure",
    ),
    (
        "registry.linkage",
        "Rà soát các bản ghi nghi trùng",
        "Looking at records that may be the same",
    ),
    (
        "registry.own-view",
        "Cho người dân xem dữ liệu về mình và tiếp nhận phản ánh",
        "Showing people what is held about them, and taking what they contest",
    ),
    (
        "registry.quality",
        "Kiểm tra và chỉnh sửa chất lượng dữ liệu",
        "Checking and correcting the quality of data",
    ),
    (
        "registry.references",
        "Theo dõi việc hợp nhất bản ghi để sửa các tham chiếu",
        "Following merges in order to correct references",
    ),
    (
        "registry.representation",
        "Xác định doanh nghiệp do một người đại diện, để người đó xem và phản ánh dữ liệu của doanh nghiệp",
        "Finding which enterprises a person represents, who then sees and contests what is held of these",
    ),
    ("registry.steward", "Quản lý cơ sở dữ liệu", "Looking after a registry"),
    ("statistics", "Thống kê", "Statistics"),
    (
        "tracker.own-view",
        "Cho người dân biết ai đã xem dữ liệu của mình",
        "Telling people who has read their data",
    ),
    (
        "tracker.question",
        "Chuyển câu hỏi của người dân về một lượt xem dữ liệu",
        "Passing on what a person asks about a read",
    ),
];

/// What the purposes mean that a node knows: those of the program, and those of its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanings(BTreeMap<Purpose, Text>);

impl Default for Meanings {
    fn default() -> Self {
        let meaning = |(code, vi, en): (&str, _, _)| Some((code.parse().ok()?, Text::new(vi, en)));
        Self(OF_PROGRAM.into_iter().filter_map(meaning).collect())
    }
}

impl Meanings {
    /// With more of them; what is said again is said anew.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = (Purpose, Text)>) -> Self {
        self.0.extend(more);
        self
    }

    /// What a code means; the code itself where nobody has said.
    pub fn of(&self, code: &str) -> Text {
        let known = code.parse().ok().and_then(|code: Purpose| self.0.get(&code));
        known.cloned().unwrap_or_else(|| Text::new(code, ""))
    }

    /// The codes that are no purposes of the program.
    pub fn of_node(&self) -> impl Iterator<Item = &Purpose> {
        let of_program = |code: &Purpose| OF_PROGRAM.iter().any(|(own, ..)| *own == code.as_str());
        self.0.keys().filter(move |code| !of_program(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_node_come_before_those_of_the_program() {
        let code = |code: &str| code.parse::<Purpose>().expect("a purpose");
        let said = Text::new("Xác minh khi thanh tra", "Checking in an inspection");
        let refund = (code("tax.refund"), Text::new("Hoàn thuế", "Refunding tax"));
        let meanings = Meanings::default().with([(code("dossier.verify"), said.clone()), refund]);
        assert_eq!(meanings.of("dossier.verify"), said);
        assert_eq!(meanings.of("statistics").en, "Statistics");
        assert_eq!(meanings.of("tax.audit"), Text::new("tax.audit", ""));
        let of_node: Vec<_> = meanings.of_node().map(Purpose::as_str).collect();
        assert_eq!(of_node, ["tax.refund"]);
        assert_eq!(
            meanings.0.len(),
            OF_PROGRAM.len() + 1,
            "every code of the program can be read, and none twice"
        );
    }
}
