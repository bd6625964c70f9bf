//! Whom events name, and when they are looked at.

use exchange::events::{Event, EventId, Handler as _, Position, Standing};
use serde_json::value::to_raw_value;
use store::transact;

use super::*;

const RULE: &str = "birth-registration";
const REGISTERED: &str = "population.registered";

/// An event of the population registry; without data it was withdrawn.
pub(super) fn event(position: Position, at: Timestamp, fields: Option<Value>) -> Event {
    let data = fields.map(|fields| json!({ "record": "r", "version": 1, "change": "assert", "fields": fields }));
    Event {
        id: EventId::new(at),
        position,
        producer_id: position.to_string(),
        key: None,
        version: 1,
        at,
        data: data.map(|data| to_raw_value(&data).expect("JSON")),
    }
}

pub(super) fn of(number: &str) -> Option<Value> {
    Some(json!({ "person_number": number }))
}

impl Commune {
    pub(super) async fn hears(&self, name: &str, events: &[Event]) {
        let heard = self.dossiers.heard(name.parse().expect("a name"));
        let done: base::Result<()> = transact!(self.store, |tx| { heard.handle(&tx, events).await });
        done.expect("taken down");
    }

    /// The page of the rule says how its event is followed.
    async fn stands(&self, standing: Option<Standing>, says: &str) {
        if let Some(standing) = standing {
            let heard = self.dossiers.heard(REGISTERED.parse().expect("a name"));
            heard.stands(standing);
        }
        let page = self.page(&leader(), "/desk/proposals/birth-registration").await;
        assert!(page.contains(says), "{says}: {page}");
    }

    async fn awaited(&self) -> (i64, Option<Timestamp>, usize) {
        let view = self.dossiers.proposal_rule(&leader(), RULE).await.expect("a rule");
        (view.awaited, view.next_due, view.runs.len())
    }
}

#[tokio::test]
async fn whom_an_event_names_is_looked_at_on_the_day_and_once() {
    for commune in communes().await {
        commune.add("population", child()).await;
        let day = after(61 * DAY);
        commune.stands(None, "Chưa theo dõi").await;
        for (standing, says) in [
            (Standing::Unapproved, "Chưa được phép nhận tin"),
            (Standing::Failing, "Chưa lấy được tin"),
            (Standing::Heard, "Đang nhận tin"),
        ] {
            commune.stands(Some(standing), says).await;
        }
        // The same news twice, one who has no number, one that is none, and one that was withdrawn.
        let news = [
            event(1, start(), of(CHILD)),
            event(2, start(), of(CHILD)),
            event(3, start(), Some(json!({}))),
            event(4, start(), of("123")),
            event(5, start(), None),
        ];
        commune.hears(REGISTERED, &news).await;
        commune
            .hears("population.changed", &[event(1, start(), of(MOTHER))])
            .await;
        assert_eq!(commune.awaited().await, (1, Some(day), 0));
        let page = commune.page(&leader(), "/desk/proposals/birth-registration").await;
        assert!(page.contains("Công dân được cấp số định danh, sau 61 ngày"), "{page}");
        assert!(!page.contains(CHILD));

        commune.work(after(60 * DAY)).await;
        assert_eq!(commune.awaited().await, (1, Some(day), 0), "not before its day");
        commune.work(day).await;
        assert_eq!(commune.awaited().await, (0, None, 1));
        let page = commune.page(&leader(), "/desk/proposals/birth-registration").await;
        assert!(page.contains("Theo sự kiện"), "{page}");
        assert_eq!(commune.figures(RULE).await.proposed, 1);
        // Its people are not looked at again by themselves, as those of a list are.
        commune.work(day.plus_seconds(31 * DAY)).await;
        assert_eq!(commune.awaited().await, (0, None, 1));
    }
}

#[tokio::test]
async fn a_later_event_moves_the_day_and_a_list_goes_its_own_way() {
    for commune in communes().await {
        commune.add("population", child()).await;
        commune.hears(REGISTERED, &[event(1, start(), of(CHILD))]).await;
        commune.hears(REGISTERED, &[event(2, after(DAY), of(CHILD))]).await;
        assert_eq!(commune.awaited().await, (1, Some(after(62 * DAY)), 0));
        // An officer's list does not wait for events, nor do they forget whom it has.
        commune.run(RULE, CHILD).await;
        assert_eq!(commune.awaited().await, (1, Some(after(62 * DAY)), 1));
        assert_eq!(commune.figures(RULE).await.proposed, 1);
        commune.work(after(62 * DAY)).await;
        let (left, next, runs) = commune.awaited().await;
        assert_eq!((left, next), (0, None));
        let view = commune.dossiers.proposal_rule(&leader(), RULE).await.expect("a rule");
        let by_events = view.runs.iter().filter(|run| run.by_events).count();
        assert_eq!(by_events, 1);
        // The list was looked at once more by itself.
        assert_eq!(runs - by_events, 2, "{:?}", view.runs);
        assert_eq!(commune.figures(RULE).await.proposed, 1, "never twice");
    }
}

#[tokio::test]
async fn a_registry_that_is_down_delays_nobody_else() {
    for commune in communes().await {
        commune.add("population", child()).await;
        commune.down("civil-status", true);
        commune.hears(REGISTERED, &[event(1, start(), of(CHILD))]).await;
        let day = after(61 * DAY);
        commune.work(day).await;
        // That run waits for the registry; the next of its sort waits for it, a list does not.
        let other = "046326000021";
        commune.hears(REGISTERED, &[event(2, after(DAY), of(other))]).await;
        commune.work(after(62 * DAY)).await;
        assert_eq!(commune.awaited().await, (1, Some(after(62 * DAY)), 1));
        commune
            .dossiers
            .start_run(&leader(), RULE, CHILD)
            .await
            .expect("a list starts beside it");
        commune.down("civil-status", false);
        commune.work(after(63 * DAY)).await;
        commune.work(after(64 * DAY)).await;
        assert_eq!(commune.awaited().await.0, 0);
        assert_eq!(commune.figures(RULE).await.proposed, 1);
    }
}
