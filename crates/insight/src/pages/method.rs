//! How each figure is made, for everybody to read.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use identity::Web;
use view::{Link, Page};

#[derive(Template)]
#[template(path = "insight/method.html")]
struct Method {
    page: Page,
    rules: Vec<Rule>,
}

struct Rule {
    name: &'static str,
    text: &'static str,
    source: &'static str,
}

pub(super) async fn method(web: Web) -> Response {
    let mut page = web.titled("Cách tính số liệu công khai", "How the published figures are made");
    page.breadcrumbs = vec![Link::new("/publication", "Công khai tiến độ", "Publication")];
    let rules = rules(&page);
    view::html(StatusCode::OK, &Method { page, rules })
}

fn rules(page: &Page) -> Vec<Rule> {
    let rule = |name: (&'static str, &'static str),
                text: (&'static str, &'static str),
                source: (&'static str, &'static str)| Rule {
        name: page.lang.t(name.0, name.1),
        text: page.lang.t(text.0, text.1),
        source: page.lang.t(source.0, source.1),
    };
    let decision = (
        "Quyết định 766/QĐ-TTg ngày 23/6/2022, tài liệu mô tả công thức, chỉ số 2.1",
        "Decision 766/QĐ-TTg of 23 June 2022, working paper on its formulas, figure 2.1",
    );
    let own = ("Quy ước của hệ thống này", "Convention of this system");
    vec![
        rule(
            ("Tiếp nhận", "Received"),
            (
                "Số hồ sơ có ngày tiếp nhận trong kỳ, chia theo cách nộp: trực tuyến, trực tiếp, bưu chính. Hồ sơ mới đăng ký, chưa tiếp nhận thì chưa tính.",
                "Dossiers whose day of reception lies in the period, by the way they came: online, at the counter, by post. What is filed but not received does not count yet.",
            ),
            (
                "Nghị định 61/2018/NĐ-CP, sửa đổi bởi Nghị định 118/2025/NĐ-CP",
                "Decree 61/2018/NĐ-CP; Decree 118/2025/NĐ-CP",
            ),
        ),
        rule(
            (
                "Giải quyết trước hạn, đúng hạn, quá hạn",
                "Decided early, on time, late",
            ),
            (
                "Hồ sơ đã xử lý xong hoặc đã trả kết quả, tính vào tháng kết thúc xử lý. Đúng hạn khi thời điểm kết thúc không sau thời điểm hẹn trả; trước hạn khi kết thúc trước ngày hẹn trả. Thời gian chờ bổ sung hồ sơ không tính. Hồ sơ bị yêu cầu bổ sung quá một lần được tính là quá hạn.",
                "Dossiers decided or returned, in the month in which handling ended. On time: the end is not after the appointed instant; early: it lies before the appointed day. Waiting for papers does not count. More than one request for papers makes a dossier late.",
            ),
            decision,
        ),
        rule(
            ("Tỷ lệ trước hạn và đúng hạn", "Early or on time, percent"),
            (
                "(Trước hạn + đúng hạn) chia cho (đã giải quyết + quá hạn chưa giải quyết vào cuối kỳ). Kỳ chưa kết thúc thì tính đến thời điểm hiện tại. Không có hồ sơ thì ghi “không có hồ sơ”, không ghi 0 %.",
                "(Early + on time) divided by (decided + overdue and open at the end of the period). A period that has not ended is counted up to now. Where there is nothing to divide by the page says so and does not write 0 %.",
            ),
            decision,
        ),
        rule(
            ("Không tiếp nhận, rút, dừng xử lý", "Refused, withdrawn, stopped"),
            (
                "Đếm riêng theo tháng xảy ra, không tính vào tỷ lệ trước hạn và đúng hạn.",
                "Counted on their own in the month in which it happened; not part of the percentage on time.",
            ),
            own,
        ),
        rule(
            (
                "Đang giải quyết, quá hạn, tạm dừng hiện nay",
                "In progress, overdue, paused now",
            ),
            (
                "Tình trạng tại thời điểm xem. Tạm dừng là đang chờ bổ sung giấy tờ hoặc chờ thực hiện nghĩa vụ tài chính. Quá hạn được đếm đến 10.000 hồ sơ.",
                "As it is at the moment of reading. Paused: papers or a payment are awaited. Overdue dossiers are counted up to 10,000.",
            ),
            (
                "Mã trạng thái của Cổng Dịch vụ công quốc gia",
                "Status codes of the National Public Service Portal",
            ),
        ),
        rule(
            (
                "Đang giải quyết, quá hạn, tạm dừng cuối kỳ",
                "In progress, overdue, paused at the end of a period",
            ),
            (
                "Tình trạng vào lúc 24 giờ ngày cuối cùng của kỳ; kỳ chưa kết thúc thì lấy thời điểm xem. Đang giải quyết là hồ sơ đã tiếp nhận, vào lúc đó chưa kết thúc xử lý và không tạm dừng. Tạm dừng là hồ sơ vào lúc đó chưa kết thúc xử lý, đang chờ bổ sung giấy tờ (kể cả khi được yêu cầu bổ sung trước lúc tiếp nhận) hoặc chờ thực hiện nghĩa vụ tài chính; thời gian này không tính vào thời hạn giải quyết. Hai số này được tính theo nhật ký của từng hồ sơ, không phải chốt số bằng tay. Quá hạn cuối kỳ là hồ sơ vào lúc đó đang giải quyết mà đã qua thời điểm hẹn trả của hồ sơ (nếu có hẹn lại hoặc tính lại thời hạn thì theo lần sau cùng); hồ sơ hiện đang tạm dừng thì chưa tính. Dấu “–” nghĩa là tháng chưa đến, hoặc số liệu đang được lập lại.",
                "As it was at 24:00 on the last day of the period; for a period that has not ended, as it is at the moment of reading. In progress: received, and then neither ended nor paused. Paused: not ended then, and papers (also those asked for before reception) or a payment were awaited, so that the time limit did not run. Both follow from the log of each dossier; nobody closes the books by hand. Overdue at the end: in progress then, though the instant appointed for the dossier (the last one, where a new one was appointed or the time limit began anew) had passed; a dossier that is paused now is left out. “–” means a month to come, or figures that are being made anew.",
            ),
            own,
        ),
        rule(
            ("Số ngày trung bình và trung vị", "Mean and median days"),
            (
                "Thời gian làm việc từ khi tiếp nhận đến khi kết thúc xử lý, chia cho 8 giờ một ngày; gồm cả thời gian chờ bổ sung. Trung bình là chính xác. Trung vị tính từ các nhóm rộng một giờ làm việc, nội suy trong nhóm, nên sai số dưới một giờ làm việc.",
                "Working time from reception to the end, at 8 hours a day, waiting for papers included. The mean is exact. The median comes from classes of one working hour, interpolated within the class, so it errs by less than a working hour.",
            ),
            (
                "Bộ luật Lao động 45/2019/QH14, Điều 105; chỉ số 2.2 của Quyết định 766/QĐ-TTg",
                "Labour Code 45/2019/QH14, article 105; Decision 766/QĐ-TTg, figure 2.2",
            ),
        ),
        rule(
            ("Tỷ lệ hồ sơ trực tuyến", "Share online"),
            (
                "Hồ sơ tiếp nhận qua kênh trực tuyến chia cho tổng số hồ sơ tiếp nhận trong kỳ; mục tiêu từ 30 %.",
                "Dossiers received online divided by all received in the period; the goal is 30 % or more.",
            ),
            (
                "Thông tư 01/2018/TT-VPCP, Điều 21",
                "Circular 01/2018/TT-VPCP, article 21",
            ),
        ),
        rule(
            (
                "Người nộp trực tuyến trên một người nộp cách khác",
                "Online people for each other one",
            ),
            (
                "Mỗi tài khoản tính một lần trong một năm cho mỗi dịch vụ của một cơ quan. Hồ sơ nộp không qua tài khoản thì mỗi hồ sơ tính là một người, vì không có căn cứ để ghép. Mục tiêu 1 : 1 lấy từ các báo cáo về dịch vụ công mức độ 4; chưa tìm được văn bản quy định.",
                "An account counts once a year for each service of an agency. A dossier filed without an account counts as one person, as nothing tells whose it is. The goal of 1 to 1 is taken from reports on level-4 services; no legal text that sets it was found.",
            ),
            own,
        ),
        rule(
            ("Hỏi lại điều đã có", "Asked again"),
            (
                "Trong các câu hỏi mà một cơ sở dữ liệu có trách nhiệm trả lời, tỷ lệ người nộp hồ sơ vẫn phải tự khai: vì cơ sở dữ liệu chưa trả lời, chưa có thông tin, hoặc thông tin chưa đúng. Tính theo tháng tiếp nhận hồ sơ. Dấu “–” nghĩa là không có câu hỏi nào như vậy.",
                "Of the questions that a registry should answer, the share that applicants had to answer themselves: because the registry did not answer, holds nothing, or is wrong. By the month of reception. “–” means that there were no such questions.",
            ),
            (
                "Luật Dữ liệu 60/2024/QH15, Điều 11; Nghị định 118/2025/NĐ-CP",
                "Law on Data 60/2024/QH15, article 11; Decree 118/2025/NĐ-CP",
            ),
        ),
    ]
}
