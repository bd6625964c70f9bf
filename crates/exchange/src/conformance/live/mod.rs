//! The rules that look at what the service answers.

mod answers;
mod bad;
mod client;
mod compose;
mod find;
mod generate;
mod pages;
mod pool;
mod things;
mod writes;

use std::time::{Duration, Instant};

use base::Text;

pub(super) use client::{Address, Client};
pub(super) use find::{base_of, fetch_description};

use self::{
    client::{Answer, Request, Silence},
    generate::{Generator, Taste},
    pool::Pool,
};
use super::{
    Options, Progress,
    described::List,
    description::{Description, Judge, Operation},
    report::{Coverage, Finding, Skipped},
    rules::Rule,
    sheet::Sheet,
};

/// After so many requests without an answer, one after the other, the service is left alone.
const PATIENCE: u32 = 4;
/// Fewest requests that an operation gets while there are any.
const FEWEST: u32 = 8;

/// A request with its answer.
#[derive(Debug, Clone)]
struct Exchange {
    request: Request,
    answer: Answer,
}

impl Exchange {
    fn succeeded(&self) -> bool {
        (200..300).contains(&self.answer.status)
    }

    fn finding(&self, at: &str, text: Text) -> Finding {
        let mut finding = Finding::at(at, text);
        finding.request = Some(self.request.excerpt());
        finding.answer = Some(self.answer.excerpt());
        finding
    }
}

/// What is known while the service is called.
struct Runner<'a> {
    description: &'a Description,
    judge: &'a mut Judge,
    sheet: &'a mut Sheet,
    client: Client,
    base: Address,
    generator: Generator,
    pool: Pool,
    /// Requests that may still be sent, in all and for this operation.
    left: u32,
    share: u32,
    until: Instant,
    /// Requests without an answer, one after the other.
    silent: u32,
    times: Vec<(Duration, String)>,
    coverage: Coverage,
}

/// Calls every operation that may be called.
pub(super) async fn run(
    description: &Description,
    judge: &mut Judge,
    sheet: &mut Sheet,
    client: Client,
    base: Address,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Coverage {
    let mut runner = Runner {
        description,
        judge,
        sheet,
        client,
        base,
        generator: Generator::new(options.seed),
        pool: Pool::default(),
        left: options.max_requests,
        share: 0,
        until: Instant::now() + options.longest,
        silent: 0,
        times: Vec::new(),
        coverage: Coverage::default(),
    };
    let order = in_order(description);
    runner.coverage.operations = u32::try_from(order.len()).unwrap_or(u32::MAX);
    for (done, operation) in order.iter().enumerate() {
        progress(Progress {
            done,
            of: order.len(),
            now: Text::new(operation.name(), operation.name()),
        });
        if let Some(why) = runner.why_not(operation, options.write) {
            runner.skip(operation, why);
            continue;
        }
        let waiting = u32::try_from(order.len() - done).unwrap_or(u32::MAX);
        runner.share = (runner.left / waiting).max(FEWEST).min(runner.left);
        runner.operation(operation).await;
    }
    runner.share = runner.left;
    runner.beyond_the_description().await;
    runner.finish()
}

/// Lists first, because they say which things there are; then what reads one thing; then what changes something.
fn in_order(description: &Description) -> Vec<&Operation> {
    let mut order: Vec<&Operation> = description.operations.iter().collect();
    order.sort_by_key(|operation| {
        let kind = match operation.method {
            "GET" | "HEAD" | "OPTIONS" | "TRACE" => 0,
            "POST" => 1,
            "DELETE" => 3,
            _ => 2,
        };
        (kind, operation.templates().len())
    });
    order
}

impl Runner<'_> {
    fn why_not(&self, operation: &Operation, write: bool) -> Option<Text> {
        if !operation.is_safe() && !write {
            return Some(Text::new(
                "thao tác thay đổi dữ liệu; chỉ gọi khi có --write",
                "it changes something; called only with --write",
            ));
        }
        if self.silent >= PATIENCE {
            return Some(Text::new("dịch vụ không còn trả lời", "the service answers no more"));
        }
        if self.is_over() {
            return Some(Text::new(
                "đã hết số yêu cầu hoặc thời gian cho phép",
                "the requests or the time were used up",
            ));
        }
        None
    }

    fn skip(&mut self, operation: &Operation, why: Text) {
        self.coverage.skipped.push(Skipped {
            operation: operation.name(),
            why,
        });
    }

    fn is_over(&self) -> bool {
        self.left == 0 || Instant::now() >= self.until
    }

    /// Sends a request as far as that is still allowed; what holds for every answer is judged.
    async fn send(&mut self, operation: Option<&Operation>, request: Request) -> Option<Exchange> {
        if self.is_over() || self.share == 0 || self.silent >= PATIENCE {
            return None;
        }
        self.left -= 1;
        self.share -= 1;
        self.coverage.requests += 1;
        let at = operation.map_or("", |operation| operation.pointer.as_str());
        match self.client.send(&request).await {
            Ok(answer) => {
                self.silent = 0;
                self.times
                    .push((answer.took, format!("{} {}", request.method, request.address.as_str())));
                self.sheet.kept(Rule::ServiceAnswers);
                let exchange = Exchange { request, answer };
                self.every_answer(operation, &exchange).await;
                Some(exchange)
            }
            Err(silence) => {
                self.silent = if silence == Silence::Endless {
                    0
                } else {
                    self.silent + 1
                };
                let mut finding = Finding::at(at, silence.text());
                finding.request = Some(request.excerpt());
                self.sheet.broken(Rule::ServiceAnswers, finding);
                None
            }
        }
    }

    async fn operation(&mut self, operation: &Operation) {
        if operation.secured == Some(true) && !self.client.has_credentials() {
            self.without_credentials(operation).await;
            self.skip(
                operation,
                Text::new(
                    "cần chứng thực; gửi kèm tiêu đề để kiểm tra hết",
                    "it needs credentials; give headers to check the rest",
                ),
            );
            return;
        }
        let mut good = None;
        let mut tried = 0;
        for taste in [Taste::Example, Taste::Least, Taste::Full] {
            let Some(composed) = self.compose(operation, taste).await else {
                continue;
            };
            let from_examples = composed.from_examples;
            let Some(exchange) = self.send(Some(operation), composed.request).await else {
                continue;
            };
            tried += 1;
            let accepted = (200..400).contains(&exchange.answer.status);
            if from_examples {
                if accepted {
                    self.sheet.kept(Rule::ExampleAccepted);
                } else {
                    let text = Text::new(
                        format!(
                            "Ví dụ của chính bản mô tả bị từ chối với mã {}.",
                            exchange.answer.status
                        ),
                        format!(
                            "The description's own example is refused with status {}.",
                            exchange.answer.status
                        ),
                    );
                    self.sheet
                        .broken(Rule::ExampleAccepted, exchange.finding(&operation.pointer, text));
                }
            }
            if exchange.succeeded() {
                self.pool.keep(self.description, operation, &composed.bound, &exchange);
                good.get_or_insert((exchange, composed.bound));
            }
        }
        if tried == 0 {
            if self.silent == 0 {
                self.skip(
                    operation,
                    Text::new(
                        "không tạo được yêu cầu hợp lệ; thêm ví dụ",
                        "no valid request could be made; add examples",
                    ),
                );
            }
            return;
        }
        self.coverage.called += 1;
        self.coverage.succeeded += u32::from(good.is_some());
        self.sheet
            .judge(Rule::OperationSucceeds, good.is_some(), &operation.pointer, || {
                Text::new(
                    "Không yêu cầu hợp lệ nào thành công nên thao tác này chưa được kiểm tra hết; thêm ví dụ có thật.",
                    "No valid request succeeded, so this operation was not tested fully; add examples that exist.",
                )
            });
        if let Some((exchange, bound)) = good {
            if operation.method == "GET" {
                self.reading(operation, &exchange, &bound).await;
            } else if operation.method == "POST" {
                self.twice(operation, &exchange).await;
            }
            if operation.secured == Some(true) {
                self.without_credentials(operation).await;
            }
        }
        self.bad_requests(operation).await;
    }

    /// What is looked at once a GET has succeeded.
    async fn reading(&mut self, operation: &Operation, exchange: &Exchange, bound: &pool::Bound) {
        self.head_and_options(operation, exchange).await;
        self.conditional(operation, exchange).await;
        if List::of(self.description, operation).is_some_and(|list| list.keyset) {
            self.pages(operation, bound).await;
        }
        self.things(operation).await;
    }

    fn finish(mut self) -> Coverage {
        self.times.sort();
        let middle = self
            .times
            .get(self.times.len() / 2)
            .map_or(Duration::ZERO, |(took, _)| *took);
        self.coverage.median_millis = millis(middle);
        if let Some((took, what)) = self.times.pop() {
            self.coverage.slowest_millis = millis(took);
            self.coverage.slowest = what;
        }
        self.coverage
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
