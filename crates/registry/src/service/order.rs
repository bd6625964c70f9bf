//! Orders: what a procedure decided, at this node or another, carried out once and taken back if need be.

use base::{
    Error, Kind, Problems, Result,
    codes::{PersonNumber, ProcedureCode},
};
use identity::{Ctx, Permission};
use procedure::writes::{Act, Plan};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::{Read, Tx, transact};
use uuid::Uuid;

use super::{
    Change, Mask, Provenance, Purpose, RecordId, Registries, Seen, Target, With, Written,
    allocate::give,
    read::{Told, body_of},
    write::{add, changed, complete, judge},
};
use crate::{
    history::Moment,
    keeper::{Asked, Order, TakeBack, UNKNOWN},
    model::RegistryCode,
    shelf::Editions,
    store::{
        NOW, index,
        orders::{self, OrderRow},
        read::{self as reading, At},
        write as tables,
    },
};

/// Whose orders are those of this node. No system of the exchange is called so.
pub const HERE: &str = "here";
/// The longest id of an order, in bytes.
const LONGEST_ID: usize = 200;

/// What an order became.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The entry: `population/0193…#1`, the record's id and the version.
    pub entry: String,
    /// What the record says by it, masked; nothing where it ends or was taken back.
    pub record: Value,
}

impl Registries {
    /// Carries out an order of a client: [`HERE`] or a system of the exchange. The same order again has no effect and is answered in the
    /// same way; what was refused may be ordered again. Numbers that are the registry's to give are given here.
    ///
    /// # Errors
    /// `Invalid` with every problem; `Conflict` for another order under the same id, for a key that another record has, for a record that
    /// was erased; `NotFound` where nothing holds that could change or end; `Forbidden`; `Unavailable` when a range of numbers is used
    /// up, or the read of the answer could not be logged.
    pub async fn carry_out(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        client: &str,
        order: &Order,
        mask: &Mask,
    ) -> Result<Carried> {
        let code = code_of(&order.plan.registry)?;
        let (editions, registry) = self.open(ctx, &code, Permission::KeepRegistry)?;
        judge_form(order).into_result()?;
        let provenance = Provenance {
            source: sent_by(client, &format!("thủ tục {}: {}", order.procedure, order.source.trim())),
            basis: order.basis.clone(),
            dossier: Some(order.dossier.clone()),
        };
        let provenance = complete(&provenance, &registry)?;
        let fingerprint = fingerprint(order)?;
        let row = transact!(self.store(), |tx| {
            let at = tables::turn(&tx, &code, 1, ctx.now).await?;
            if let Some(row) = orders::order(&tx, &code, client, &order.id).await? {
                return same_again(row, &fingerprint);
            }
            if orders::is_void(&tx, &code, client, &order.id).await? {
                return Err(Error::refused(
                    Kind::Conflict,
                    "order-void",
                    "Bên gửi đã thôi chờ yêu cầu này và đã được trả lời là chưa nhận được, nên yêu cầu đến muộn không được ghi nữa.",
                    "Its sender waits for this order no longer and was told that it never came, so it is not carried out now.",
                ));
            }
            let change = self.change_of(&tx, ctx, &editions, &order.plan).await?;
            let judged = judge(ctx, &registry, change)?;
            let written = Written::of(&judged, at);
            add(&tx, ctx, &editions, &judged, &provenance, &written).await?;
            let row = OrderRow {
                fingerprint: fingerprint.clone(),
                record_id: written.record.uuid(),
                seq: written.seq,
                back_seq: None,
            };
            orders::keep(&tx, &code, client, &order.id, &row).await?;
            tx.enqueue_all(&changed(&code)?, ctx.now).await?;
            Ok(row)
        })?;
        let record = self.said_by(ctx, purpose, &editions, &row, mask).await?;
        if client == HERE {
            // Of an order that came through the exchange the gateway tells them.
            self.tell(ctx, purpose, &registry, &order.plan.concerns, mask).await?;
        }
        Ok(Carried {
            entry: entry(&code, row.record_id, row.seq),
            record,
        })
    }

    /// Takes back what an order of this client had done: its entry never held. Twice is once.
    ///
    /// # Errors
    /// `NotFound` where no order of this client has this id and became this entry; `Conflict` when the record was erased; `Invalid` with
    /// every problem; `Forbidden`.
    pub async fn take_back(&self, ctx: &Ctx, client: &str, back: &TakeBack) -> Result<Carried> {
        let code = code_of(&back.registry)?;
        let (editions, registry) = self.open(ctx, &code, Permission::KeepRegistry)?;
        let mut problems = Problems::new();
        judge_procedure(&back.procedure, &mut problems);
        problems.into_result()?;
        let provenance = Provenance {
            source: sent_by(client, &format!("thủ tục {}: thu hồi mục đã ghi", back.procedure)),
            basis: String::new(),
            dossier: Some(back.dossier.clone()),
        };
        let provenance = complete(&provenance, &registry)?;
        let (record, seq) = transact!(self.store(), |tx| {
            let at = tables::turn(&tx, &code, 1, ctx.now).await?;
            let row = orders::order(&tx, &code, client, &back.order).await?;
            let row = row.filter(|row| entry(&code, row.record_id, row.seq) == back.entry);
            let row = row.ok_or_else(|| Error::not_found("yêu cầu ghi này", "order"))?;
            if let Some(seq) = row.back_seq {
                return Ok((row.record_id, seq));
            }
            let change = Change::Correct {
                record: newest(&tx, &code, row.record_id).await?,
                corrects: row.seq,
                with: With::Void,
            };
            let judged = judge(ctx, &registry, change)?;
            let written = Written::of(&judged, at);
            add(&tx, ctx, &editions, &judged, &provenance, &written).await?;
            orders::take_back(&tx, &code, client, &back.order, written.seq).await?;
            tx.enqueue_all(&changed(&code)?, ctx.now).await?;
            Ok((row.record_id, written.seq))
        })?;
        Ok(Carried {
            entry: entry(&code, record, seq),
            record: Value::Null,
        })
    }

    /// What an order of a client became: the entry, for who was told nothing of it. Nothing is written; an order that never came, and may
    /// still be on its way, is not carried out any more.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a procedure that is none; `NotFound` ([`UNKNOWN`]) where it never came.
    pub async fn became(&self, ctx: &Ctx, client: &str, asked: &Asked) -> Result<Carried> {
        let code = code_of(&asked.registry)?;
        self.open(ctx, &code, Permission::KeepRegistry)?;
        let mut problems = Problems::new();
        judge_procedure(&asked.procedure, &mut problems);
        problems.into_result()?;
        let row = transact!(self.store(), |tx| {
            // In turn with the order itself, should it come at this moment.
            tables::turn(&tx, &code, 1, ctx.now).await?;
            let row = orders::order(&tx, &code, client, &asked.order).await?;
            if row.is_none() {
                orders::make_void(&tx, &code, client, &asked.order).await?;
            }
            Ok(row)
        })?;
        let row = row.ok_or_else(|| {
            Error::refused(
                Kind::NotFound,
                UNKNOWN,
                "Cơ sở dữ liệu chưa nhận được yêu cầu này nên không có gì được ghi.",
                "The registry never received this order, so nothing was written.",
            )
        })?;
        Ok(Carried {
            entry: entry(&code, row.record_id, row.seq),
            record: Value::Null,
        })
    }

    /// What is reported by a plan, with the numbers that are given for it.
    async fn change_of(&self, tx: &Tx, ctx: &Ctx, editions: &Editions, plan: &Plan) -> Result<Change> {
        let registry = editions.current();
        let from = Moment::parse(&plan.valid_from.to_string(), registry.valid_time);
        let from =
            from.ok_or_else(|| invalid("not-a-moment", "plan.valid_from", "Ngày không hợp lệ.", "No such day."))?;
        if plan.act == Act::Assert {
            let mut body = plan.body.clone();
            give(tx, self.0.identity.entropy(), &registry, &mut body).await?;
            return Ok(Change::Assert {
                target: Target::New,
                from,
                to: None,
                body,
            });
        }
        let key = plan.key.as_deref().unwrap_or_default();
        let held = holding(tx, ctx, editions, key, from).await;
        if plan.act == Act::Put {
            let mut body = plan.body.clone();
            let target = match held {
                Ok((seen, _)) => Target::Known(seen),
                Err(Error::Refused(Kind::NotFound, _)) => {
                    give(tx, self.0.identity.entropy(), &registry, &mut body).await?;
                    Target::New
                }
                Err(error) => return Err(error),
            };
            return Ok(Change::Assert {
                target,
                from,
                to: None,
                body,
            });
        }
        let (seen, mut body) = held?;
        if plan.act == Act::End {
            return Ok(Change::End { record: seen, at: from });
        }
        merge(&mut body, &plan.body);
        Ok(Change::Assert {
            target: Target::Known(seen),
            from,
            to: None,
            body,
        })
    }

    /// What the version of an order says, told to those whom it is about.
    async fn said_by(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        editions: &Editions,
        row: &OrderRow,
        mask: &Mask,
    ) -> Result<Value> {
        let registry = editions.current();
        let version = tables::version(&self.store().read(), row.record_id, row.seq).await?;
        let body = version
            .map(|version| body_of(editions, &version, ctx.now))
            .transpose()?;
        let Some(body) = body.flatten() else {
            return Ok(Value::Null);
        };
        let told = Told::by_gateway(ctx, &registry, mask);
        self.log(ctx, purpose, &registry, [&body], mask, told).await?;
        Ok(mask.apply(&body))
    }
}

/// The record of a key and what holds of it at a moment.
async fn holding(tx: &Tx, ctx: &Ctx, editions: &Editions, key: &str, at: Moment) -> Result<(Seen, Value)> {
    let none = || {
        let (vi, en) = (
            "Vào ngày đó không có bản ghi nào mang khóa này đang có hiệu lực.",
            "On that day nothing holds under this key.",
        );
        let mut problems = Problems::new();
        problems.add("nothing-holds", "plan.key", vi, en);
        Error::Refused(Kind::NotFound, problems)
    };
    let code = &editions.current().code;
    let at = At { valid: at, known: NOW };
    let record = reading::by_key(tx, index::slot(code, None), key, at)
        .await?
        .ok_or_else(none)?;
    let spoken = reading::spoken(tx, code, &[record], at).await?.pop().ok_or_else(none)?;
    let body = body_of(editions, &spoken.version, ctx.now)?.ok_or_else(none)?;
    Ok((newest(tx, code, record).await?, body))
}

async fn newest(db: &impl Read, code: &RegistryCode, record: Uuid) -> Result<Seen> {
    let newest = tables::newest(db, code, record).await?.ok_or_else(super::no_record)?;
    Ok(Seen {
        record: RecordId::from_uuid(record),
        seq: newest.seq,
    })
}

/// Lays the fields of a patch over a body (RFC 7396): those within a group by themselves, null takes one away.
pub(crate) fn merge(body: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *body = patch.clone();
        return;
    };
    if !body.is_object() {
        *body = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(body) = body {
        for (name, value) in patch {
            if value.is_null() {
                body.shift_remove(name);
            } else {
                merge(body.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

fn same_again(row: OrderRow, fingerprint: &str) -> Result<OrderRow> {
    if row.fingerprint == fingerprint {
        return Ok(row);
    }
    Err(if row.fingerprint.is_empty() {
        super::write::erased()
    } else {
        Error::refused(
            Kind::Conflict,
            "order-differs",
            "Mã này đã dùng cho một yêu cầu ghi khác.",
            "This id was used for another order.",
        )
    })
}

/// SHA-256 in hex of what is ordered, whatever the order of its members.
fn fingerprint(order: &Order) -> Result<String> {
    let Order {
        id: _,
        plan,
        procedure,
        basis,
        dossier,
        source,
    } = order;
    let mut all = serde_json::to_value((plan, procedure, basis, dossier, source))?;
    all.sort_all_objects();
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(&all)?)))
}

fn entry(code: &RegistryCode, record: Uuid, seq: i64) -> String {
    format!("{code}/{record}#{seq}")
}

/// A source with whoever sent it before it.
fn sent_by(client: &str, source: &str) -> String {
    if client == HERE {
        source.to_owned()
    } else {
        format!("{client}: {source}")
    }
}

fn code_of(registry: &str) -> Result<RegistryCode> {
    registry.parse().map_err(|_| super::no_registry())
}

/// What is wrong with an order in itself, before any registry is looked at.
fn judge_form(order: &Order) -> Problems {
    let mut problems = Problems::new();
    if !is_id(&order.id) {
        problems.add(
            "order-id",
            "id",
            format!("Mã yêu cầu gồm chữ không dấu, chữ số và các dấu . - _ /, tối đa {LONGEST_ID} ký tự."),
            format!("The id of an order has letters, digits and . - _ /, at most {LONGEST_ID} characters."),
        );
    }
    judge_procedure(&order.procedure, &mut problems);
    let plan = &order.plan;
    if plan.key.is_some() == (plan.act == Act::Assert) {
        problems.add(
            "order-key",
            "plan.key",
            "Thay đổi hoặc chấm dứt thì phải nêu khóa; ghi mới thì không.",
            "A change and an end name a key; what is new does not.",
        );
    }
    for (n, who) in plan.concerns.iter().enumerate() {
        if let Err(error) = who.parse::<PersonNumber>() {
            error.add_to(&mut problems, format!("plan.concerns.{n}"));
        }
    }
    let has_fields = plan.body.as_object().map(|fields| !fields.is_empty());
    if has_fields != Some(plan.act != Act::End) && !(plan.act == Act::End && plan.body.is_null()) {
        problems.add(
            "order-body",
            "plan.body",
            "Ghi mới hoặc thay đổi thì phải có các trường; chấm dứt thì không.",
            "What is new and what changes has fields; an end has none.",
        );
    }
    problems
}

fn judge_procedure(code: &str, problems: &mut Problems) {
    if let Err(error) = code.parse::<ProcedureCode>() {
        error.add_to(problems, "procedure");
    }
}

/// Whether a text can be the id of an order: it stands in an address.
fn is_id(text: &str) -> bool {
    let good = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    text.len() <= LONGEST_ID && text.split('/').all(good)
}

fn invalid(code: &str, at: &str, vi: &str, en: &str) -> Error {
    let mut problems = Problems::new();
    problems.add(code, at, vi, en);
    Error::Refused(Kind::Invalid, problems)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_a_change_are_laid_over_what_holds() {
        let mut body = json!({"name": "An", "residence": {"province": "01", "commune": "00004", "detail": "Số 1"}, "cards": ["1"]});
        merge(
            &mut body,
            &json!({"residence": {"commune": "00008", "detail": null}, "cards": ["2"], "status": "alive"}),
        );
        assert_eq!(
            body,
            json!({"name": "An", "residence": {"province": "01", "commune": "00008"}, "cards": ["2"], "status": "alive"})
        );
    }

    #[test]
    fn ids_of_orders_can_stand_in_an_address() {
        for good in ["1", "H42.28-260821-0001/3/person", "a_b-c"] {
            assert!(is_id(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "a/../b",
            ".",
            "a b",
            "đ",
            "a?b",
            "a%2fb",
            &"a".repeat(201),
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
