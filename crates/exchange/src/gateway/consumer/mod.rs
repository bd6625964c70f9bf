//! The consumer's node: what an information system sends, and the answer that it gets.

mod accept;
mod asic;
mod exchange;
mod links;
mod local;
mod sign_in;

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, Request, Response, request::Parts};
use traces::{Context, Key, Span};
use uuid::Uuid;

pub(super) use self::links::Links;
use super::{
    Inner,
    body::{Begun, Flow, Payload, Reader, Source},
    figures::Part,
    flaw::{GatewayFlaw, Leg, refusal},
    operations::{Course, Whose},
    trace, wire,
};
use crate::model::{
    Field, Method,
    address::{self, Dialect, Target},
    error::{ErrorCode, Format, Refusal},
    federation::{Gateway, View},
    headers::{CLIENT, DIALECT, ERROR, Edge, RequestHead, SECURITY_SERVER},
    identifier::{ClientId, SubsystemId},
    meta::Metaservice,
};

/// Where a request comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// An information system at this address.
    Network(IpAddr),
    /// A client in this process.
    Process(&'a SubsystemId),
}

/// A request that may be sent, without its body.
struct Prepared {
    method: Method,
    target: Target,
    head: Arc<RequestHead>,
    /// Those of the head: what goes on.
    fields: Vec<Field>,
    view: Arc<View>,
    /// What the message to the other node is part of.
    trace: Option<Context>,
}

impl Inner {
    /// Answers an information system.
    pub(super) async fn consume<B: Source>(
        self: &Arc<Self>,
        origin: Origin<'_>,
        request: Request<B>,
    ) -> Response<Payload> {
        let (head, body) = request.into_parts();
        if head.uri.path() == asic::PATH {
            return self.asic(origin, head).await;
        }
        let format = Format::accepted(head.headers.get_all(http::header::ACCEPT).iter().map(|v| v.as_bytes()));
        if let Some(answer) = self.local(&head) {
            return answer.unwrap_or_else(|refusal| self.unsigned(&refusal, format));
        }
        let _in_flight = self.meter.begin(Part::Consumer);
        let span = self.tracer.receive(trace::CONSUME, &head.headers);
        let mut course = Course::begin(self.clock.now(), span);
        let (answer, whose) = match self.prepare(origin, head) {
            Ok(mut prepared) => {
                prepared.trace = prepared.of(&mut course.span);
                let whose = self.operations.is_some().then(|| {
                    let Prepared {
                        method, target, head, ..
                    } = &prepared;
                    (*method, target.service().clone(), Arc::clone(head))
                });
                (self.pass_on(prepared, body, &mut course).await, whose)
            }
            Err(refusal) => (Err(refusal), None),
        };
        let answer = answer.unwrap_or_else(|refusal| {
            course.refuse(&refusal);
            self.unsigned(&refusal, format)
        });
        let named = |value: &http::HeaderValue| ErrorCode::named(value.to_str().ok()?);
        if let Some(code) = answer.headers().get(ERROR).and_then(named) {
            course.refused.get_or_insert_with(|| (code, code.text().en));
        }
        self.meter.end(Part::Consumer, &course);
        trace::answered(&mut course, answer.status().as_u16());
        if let Some((method, service, head)) = whose {
            self.report(|now| {
                let whose = Whose {
                    part: Part::Consumer,
                    client: &head.client,
                    service: &service,
                    method,
                    id: &head.id,
                    request_id: head.request_id,
                    user: head.user.as_deref(),
                    issue: head.issue.as_deref(),
                };
                whose.record(&course, answer.status().as_u16(), now)
            });
        }
        answer
    }

    /// Everything that can be judged before the body.
    fn prepare(&self, origin: Origin<'_>, head: Parts) -> Result<Prepared, Refusal> {
        let hosting = self.hosting.load();
        let raw = head.uri.path_and_query().map_or("", |target| target.as_str());
        let (dialect, target) = address::read(raw.as_bytes(), &hosting.forward)?;
        let method = head.method.as_str().parse();
        let method: Method = method.map_err(|_| refusal(ErrorCode::BadRequest, "method", GatewayFlaw::Method))?;
        let mut headers = head.headers;
        let (client, local) = match origin {
            Origin::Process(client) => {
                headers.remove(CLIENT);
                (Some(client), hosting.clients.get(client))
            }
            Origin::Network(from) => sign_in::client(&hosting, dialect, &mut headers, from)?.unzip(),
        };
        let client = client.cloned().map(ClientId::from);
        let purpose = local.and_then(|client| client.purpose.as_ref());
        let mut head = self.read_head(dialect, headers, client.as_ref(), purpose)?;
        if client.is_none_or(|client| client != head.client) {
            return Err(sign_in::other_client());
        }
        if head.client.member != self.server.owner {
            return Err(refusal(ErrorCode::UnknownMember, CLIENT, GatewayFlaw::OtherMember));
        }
        let prepared = Prepared {
            method,
            fields: speaking(std::mem::take(&mut head.fields), dialect, &target),
            head: Arc::new(head),
            target,
            view: Arc::clone(&self.directory.load().view),
            trace: None,
        };
        let provider = &prepared.target.service().provider.member;
        self.acquainted(provider)
            .map_err(|flaw| refusal(ErrorCode::OutdatedGlobalConf, "directory", flaw))?;
        prepared.gateways().map(drop)?;
        Ok(prepared)
    }

    fn read_head(
        &self,
        dialect: Dialect,
        headers: HeaderMap,
        client: Option<&ClientId>,
        purpose: Option<&crate::model::Purpose>,
    ) -> Result<RequestHead, Refusal> {
        let edge = Edge {
            dialect,
            instance: &self.server.owner.instance,
            request_id: random_id(),
            message_id: random_id(),
            client,
            purpose,
        };
        RequestHead::read(wire::raw(headers), &edge)
    }

    async fn pass_on<B: Source>(
        self: &Arc<Self>,
        prepared: Prepared,
        body: B,
        course: &mut Course,
    ) -> Result<Response<Payload>, Refusal> {
        let begun = async {
            Reader::new(body, &self.limits)?
                .begin(&self.room, self.limits.body_in_memory)
                .await
        };
        let begun = begun.await.map_err(|flaw| flaw.on(Leg::Consumer))?;
        course.request_out = Some(self.clock.now());
        let (answer, took) = match begun {
            Begun::Whole(held, _) => {
                course.request_size = held.length();
                self.hands.finish(Arc::clone(self).exchange(prepared, Ok(held))).await
            }
            Begun::More(pieces, reserved, reader) => {
                let flow = Flow::new(pieces, reserved, reader);
                course.request_size = flow.length().unwrap_or(0);
                self.hands.finish(Arc::clone(self).exchange(prepared, Err(flow))).await
            }
        };
        course.response_in = took;
        let answer = answer?;
        course.response_size = http_body::Body::size_hint(answer.body()).exact();
        Ok(answer)
    }
}

/// Says to the provider's node how the client speaks, where that makes a difference to the answer.
fn speaking(mut fields: Vec<Field>, dialect: Dialect, target: &Target) -> Vec<Field> {
    fields.retain(|field| !field.is(DIALECT));
    if dialect == Dialect::GovStack && Metaservice::of(&target.service().code).is_some() {
        fields.push(Field::ours(DIALECT, "govstack"));
    }
    fields
}

impl Prepared {
    /// Says in the span what is asked; gives where the span is in its trace.
    fn of(&self, span: &mut Span) -> Option<Context> {
        trace::asked(span, self.method, &self.head.client, self.head.request_id);
        let service = self.target.service();
        if self.view.service(service).is_some() || Metaservice::of(&service.code).is_some() {
            span.set(Key::Service, || service.to_string());
        }
        span.context().cloned()
    }

    /// The gateways that may be asked, in the order of the directory. Of a service that the directory does not list every
    /// gateway of the member is asked: it knows better.
    fn gateways(&self) -> Result<Vec<&Gateway>, Refusal> {
        let service = self.target.service();
        let unknown = |flaw| refusal(ErrorCode::UnknownMember, "path", flaw);
        let (member, _) = self
            .view
            .subsystem(&service.provider)
            .ok_or_else(|| unknown(GatewayFlaw::NoMember))?;
        if member.suspended.is_some() {
            return Err(unknown(GatewayFlaw::Suspended));
        }
        let mut gateways: Vec<&Gateway> = match self.view.service(service) {
            Some(_) => self.view.gateways_of(service).map(|(_, gateway)| gateway).collect(),
            None => member.gateways.iter().collect(),
        };
        if let Some(pinned) = &self.head.server {
            gateways.retain(|gateway| pinned.owner == member.id && pinned.code == gateway.code);
            if gateways.is_empty() {
                let code = ErrorCode::InvalidSecurityServer;
                return Err(refusal(code, SECURITY_SERVER, GatewayFlaw::OtherServer));
            }
        }
        if gateways.is_empty() {
            return Err(unknown(GatewayFlaw::NoGateway));
        }
        // Requests go round; whichever cannot be reached is passed over (`carry`).
        let many = gateways.len();
        gateways.rotate_left(usize::from(self.head.request_id.as_bytes()[15]) % many);
        Ok(gateways)
    }
}

fn random_id() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}
