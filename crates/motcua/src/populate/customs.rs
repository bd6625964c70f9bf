//! Customs declarations: registered, cleared, and now and then amended afterwards.

use country::{
    Community, Day,
    trade::{Declaration, Direction},
};
use serde_json::{Value, json};

use super::chronicle::{Chronicle, Ground, Told};

const REGISTERED: Ground = Ground {
    source: "Tờ khai hải quan điện tử",
    basis: "Luật Hải quan số 54/2014/QH13, Điều 29 và 30",
};
const CLEARED: Ground = Ground {
    source: "Quyết định thông quan",
    basis: "Luật Hải quan số 54/2014/QH13, Điều 37",
};
const AMENDED: Ground = Ground {
    source: "Khai bổ sung hồ sơ hải quan",
    basis: "Luật Hải quan số 54/2014/QH13, Điều 29",
};
/// One declaration in so many is amended after it was cleared.
const AMENDED_IN: u64 = 40;
/// What such a one declares at first, in per cent of its value.
const FIRST_SAID: i64 = 90;
/// Days until a declaration is amended: within 60 days of clearance (Law on Customs, article 29).
const UNTIL_AMENDED: u64 = 55;

/// How goods are looked at before they are cleared.
#[derive(Clone, Copy)]
enum Channel {
    Green,
    Yellow,
    Red,
}

pub fn records(community: &Community) -> Vec<Chronicle> {
    let declarations = community.declarations.iter();
    declarations
        .filter_map(|declared| declaration(community, declared))
        .collect()
}

fn declaration(community: &Community, declared: &Declaration) -> Option<Chronicle> {
    let code = community.companies.get(declared.company)?.code(None)?;
    // The digits of the number are as good as chance, and the same each time.
    let chance = declared.number / 10;
    // One in ten is looked at, one in thirty is opened.
    let channel = match chance % 30 {
        0 => Channel::Red,
        1..4 => Channel::Yellow,
        _ => Channel::Green,
    };
    let amended = (chance / 30).is_multiple_of(AMENDED_IN);
    let first = if amended {
        declared.value.amount() * FIRST_SAID / 100
    } else {
        declared.value.amount()
    };
    let body = |status, value| Some(body(declared, code.as_str(), channel, status, value));
    let told = |recorded: Day, ground, body| Told {
        recorded,
        ground,
        corrects: None,
        from: recorded,
        body,
    };
    let registered = declared.on;
    let mut all = vec![told(registered, REGISTERED, body("registered", first))];
    let cleared = registered.plus(channel.days(chance));
    all.push(told(cleared, CLEARED, body("cleared", first)));
    if amended {
        let day = cleared.plus(3 + (chance % UNTIL_AMENDED) as i32);
        all.push(told(day, AMENDED, body("cleared", declared.value.amount())));
    }
    all.retain(|told| told.recorded <= community.until);
    Some(Chronicle { told: all })
}

impl Channel {
    const fn code(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }

    /// Days until the goods are cleared.
    const fn days(self, chance: u64) -> i32 {
        match self {
            Self::Green => 0,
            Self::Yellow => 1 + (chance % 3) as i32,
            Self::Red => 3 + (chance % 8) as i32,
        }
    }
}

fn body(declared: &Declaration, tax_code: &str, channel: Channel, status: &str, value: i64) -> Value {
    let import = declared.direction == Direction::Import;
    let duty = if import {
        value * i64::from(declared.goods.duty) / 100
    } else {
        0
    };
    json!({
        "number": format!("{:012}", declared.number),
        "flow": if import { "import" } else { "export" },
        "registered_on": declared.on.to_string(),
        "tax_code": tax_code,
        "office": "37NB",
        "channel": channel.code(),
        "status": status,
        "lines": [{
            "hs_code": declared.goods.code, "goods": declared.goods.name,
            "origin": if import { declared.partner } else { "VN" }, "value": value, "duty": duty,
        }],
        "value": value,
        "duty": duty,
    })
}
