//! A new enterprise: its register gives the code, at another node, and tax has it under that code.

use ::dossier::model::writes::Wrote;
use base::codes::TaxCode;
use serde_json::json;

use super::{
    consulting::{completed, filed},
    registries::let_in,
    unheard::{handler, stand, two},
};

const PROCEDURE: &str = "2.001610";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_enterprise_has_its_code_from_its_register_and_is_a_taxpayer_under_it() {
    let dirs = tempfile::tempdir().expect("a folder");
    let (asks, keeps, _line) = two(dirs.path(), &[], ("G12", &["enterprises", "tax"])).await;
    for registry in ["enterprises", "tax"] {
        let path = format!("/{registry}/keep/**");
        let_in(&asks, &keeps, &path, "POST", "procedure.write", "").await;
    }
    for n in 1..=2 {
        let id = filed(&asks, &handler(), PROCEDURE, json!({ "owner.allowed": true })).await;
        completed(&asks, &handler(), id, "accept", json!({})).await;
        let checked = json!({ "name_checked": "free", "owner_checked": "allowed" });
        completed(&asks, &handler(), id, "ok", checked).await;
        completed(&asks, &handler(), id, "approve", json!({})).await;
        let view = stand(&asks, id, &["done", "done"]).await;
        let said = |nth: usize| match &view.writes[nth].wrote {
            Some(Wrote::Done { record, .. }) => record["tax_code"].as_str().expect("a code").to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(said(0), said(1));
        assert_eq!(said(0).parse::<TaxCode>().expect("by its rule").unit(), None);
        assert_eq!((keeps.holding("enterprises").await, keeps.holding("tax").await), (n, n));
    }
}
