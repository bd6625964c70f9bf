//! The provider's node: what comes from another node, in the order of `docs/protocol.md`, section 6.

mod admit;
mod answer;
mod asked;
mod metaservice;
mod rates;
mod reads;
mod replay;
mod resolve;
mod service;

use std::sync::Arc;

use http::{Request, Response};
use traces::Key;

use self::{
    admit::Admitted,
    answer::{Denied, Reply, ReplyBody},
    reads::Answered,
};
pub(super) use self::{rates::Rates, replay::Replays, service::Services};
use super::{
    Inner,
    body::{Held, Payload, Source},
    figures::Part,
    flaw::{GatewayFlaw, Leg, refusal},
    operations::{Course, Whose},
    trace,
};
use crate::model::{
    error::{ErrorCode, Format, Refusal},
    hosting::{Hosting, LocalService},
    identifier::MemberId,
    meta::Metaservice,
    rights::{Call, FieldMask, Grant, decide},
};

/// Where an allowed call goes.
enum Way<'h> {
    Meta(Metaservice),
    Service(&'h LocalService, Option<&'h Grant>),
}

impl Inner {
    /// Answers another node. `peer` is the member whose certificate the connection has shown (check 1).
    pub(super) async fn receive<B: Source>(
        self: &Arc<Self>,
        peer: Result<Arc<MemberId>, Refusal>,
        request: Request<B>,
    ) -> Response<Payload> {
        let _in_flight = self.meter.begin(Part::Provider);
        let span = self.tracer.receive(trace::PROVIDE, request.headers());
        let mut course = Course::begin(self.clock.now(), span);
        let (head, body) = request.into_parts();
        let format = Format::accepted(head.headers.get_all(http::header::ACCEPT).iter().map(|v| v.as_bytes()));
        match self.admit(peer, head, body).await {
            Ok(admitted) => {
                self.meet(&admitted.asked.client.member);
                course.request_size = admitted.body.length();
                let work = Arc::clone(self).answer(admitted, format, course);
                self.hands.finish(work).await
            }
            Err(refusal) => {
                course.refuse(&refusal);
                self.meter.end(Part::Provider, &course);
                let answer = self.unsigned(&refusal, format);
                trace::answered(&mut course, answer.status().as_u16());
                answer
            }
        }
    }

    /// Checks 9 and 10, the service, and the signed answer.
    async fn answer(self: Arc<Self>, mut admitted: Admitted, format: Format, mut course: Course) -> Response<Payload> {
        let hosting = self.hosting.load_full();
        let (asked, method) = (Arc::clone(&admitted.asked), admitted.record.method());
        trace::asked(&mut course.span, method, &asked.client.member, asked.request_id);
        let answered = match self.allow(&hosting, &admitted) {
            Err(denied) => {
                course.refuse(&denied.refusal);
                self.deny(&mut admitted, &denied, format).await
            }
            // What changes nothing is in the log before its answer leaves, together with it: one wait for the disk less.
            Ok(way) if method.is_safe() => self.serve(&hosting, way, admitted, format, &mut course).await,
            Ok(way) => match self.log_request(&mut admitted).await {
                Err(refusal) => Err(refusal),
                Ok(()) => self.serve(&hosting, way, admitted, format, &mut course).await,
            },
        };
        // Without the log there is no signed answer.
        let answer = answered.unwrap_or_else(|refusal| {
            course.refuse(&refusal);
            self.unsigned(&refusal, format)
        });
        self.meter.end(Part::Provider, &course);
        trace::answered(&mut course, answer.status().as_u16());
        self.report(|now| {
            let whose = Whose {
                part: Part::Provider,
                client: &asked.client,
                service: &asked.service,
                method,
                id: &asked.id,
                request_id: asked.request_id,
                user: asked.user.as_deref(),
                issue: asked.issue.as_deref(),
            };
            whose.record(&course, answer.status().as_u16(), now)
        });
        answer
    }

    /// Check 9.
    fn allow<'h>(&self, hosting: &'h Hosting, admitted: &Admitted) -> Result<Way<'h>, Denied> {
        let asked = &admitted.asked;
        let provider = &asked.service.provider;
        if let Some(metaservice) = Metaservice::of(&asked.service.code) {
            let directory = self.directory.load();
            let here = provider.member == self.server.owner && directory.view.subsystem(provider).is_some();
            return if here || hosting.services.keys().any(|service| service.provider == *provider) {
                Ok(Way::Meta(metaservice))
            } else {
                Err(Refusal::new(ErrorCode::UnknownService).into())
            };
        }
        let service = hosting.services.get(&asked.service);
        let service = service.ok_or_else(|| Refusal::new(ErrorCode::UnknownService))?;
        if let Some(notice) = &service.disabled {
            let reason = base::codes::CodeError::new("service-disabled", notice, notice);
            return Err(Refusal::at(ErrorCode::ServiceDisabled, "service", reason).into());
        }
        if service.open {
            return Ok(Way::Service(service, None));
        }
        let call = Call {
            client: &asked.client,
            service: &asked.service,
            method: admitted.record.method(),
            path: admitted.record.target().path(),
            purpose: &asked.purpose,
        };
        let now = self.clock.now();
        let grants = hosting.grants.get(&asked.service).map_or(&[][..], Vec::as_slice);
        let grant = decide(grants, &call, now).into_result(&call)?;
        self.rates.take(grant, hosting, now).map_err(|wait| Denied {
            refusal: refusal(ErrorCode::RateLimited, "grant", GatewayFlaw::Rate),
            wait: Some(wait),
        })?;
        Ok(Way::Service(service, Some(grant)))
    }

    /// Has the service answer, and signs what it says.
    async fn serve(
        &self,
        hosting: &Hosting,
        way: Way<'_>,
        mut admitted: Admitted,
        format: Format,
        course: &mut Course,
    ) -> Result<Response<Payload>, Refusal> {
        // It is hosted here.
        course.span.set(Key::Service, || admitted.asked.service.to_string());
        let replied = match way {
            Way::Meta(metaservice) => self
                .metaservice(hosting, metaservice, &admitted)
                .map(|reply| (reply, None)),
            Way::Service(service, grant) => self.call_service(service, grant, &mut admitted, course).await,
        };
        let signed = match replied {
            Ok((reply, read)) => {
                course.response_size = reply.body.length();
                self.sign(&mut admitted, reply, read).await
            }
            Err(refusal) => Err(refusal),
        };
        match signed {
            Err(refusal) if refusal.code() != ErrorCode::ServerLoggingFailed => {
                course.refuse(&refusal);
                self.deny(&mut admitted, &refusal.into(), format).await
            }
            signed => signed,
        }
    }

    /// Calls the service behind this node. Gives with its answer the record of what was read about whom.
    async fn call_service(
        &self,
        service: &LocalService,
        grant: Option<&Grant>,
        admitted: &mut Admitted,
        course: &mut Course,
    ) -> Result<(Reply, Option<Vec<u8>>), Refusal> {
        let mask = grant.and_then(|grant| grant.mask.as_ref());
        let sent = self.request_to_look_into(service, admitted).await;
        course.request_out = Some(self.clock.now());
        trace::operation(&mut course.span, service, &admitted.record);
        let span = self
            .tracer
            .begin(traces::Kind::Client, trace::SERVICE, course.span.context());
        let reply = self.forward(service, admitted, mask.is_some(), span.context()).await;
        trace::ended(span, reply.as_ref().map(|reply| reply.status));
        let mut reply = reply?;
        course.response_in = Some(self.clock.now());
        let answered = Answered {
            status: reply.status,
            headers: &reply.headers,
            body: reply.body.held(),
        };
        let read = self.reads(service, admitted, sent.as_deref(), answered).await;
        if let Some(mask) = mask {
            reply.body = masked(mask, reply.body, self.limits.inspected).await?;
        }
        Ok((reply, read))
    }
}

/// The body without what the grant does not show. What cannot be filtered does not pass.
async fn masked(mask: &FieldMask, body: ReplyBody, most: u64) -> Result<ReplyBody, Refusal> {
    let too_large = || refusal(ErrorCode::MaskFailed, "body", GatewayFlaw::MaskTooLarge);
    let ReplyBody::Whole(held) = body else {
        return Err(too_large());
    };
    let whole = held.whole(most).await.map_err(|flaw| flaw.on(Leg::Service))?;
    let whole = whole.ok_or_else(too_large)?;
    if whole.is_empty() {
        return Ok(ReplyBody::Whole(held));
    }
    let shown = mask.apply(&whole);
    let shown = shown.map_err(|flaw| Refusal::at(ErrorCode::MaskFailed, "body", flaw))?;
    Ok(ReplyBody::Whole(Held::of(shown)))
}
