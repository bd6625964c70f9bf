//! Identifiers of members, subsystems, services, servers and clients, and the codes of the dialects.
#![no_main]

use exchange::model::{
    Pointer, Purpose,
    identifier::{ClientId, MemberId, Part, ServerId, ServiceId, SubsystemId},
    rights::Pattern,
};
use libfuzzer_sys::fuzz_target;

/// What is read shows itself in one form, which is read as the same.
macro_rules! one_form {
    ($input:ident, $($kind:ty),+) => {$(
        if let Ok(read) = <$kind>::parse($input) {
            let written = read.to_string();
            assert_eq!(<$kind>::parse(written.as_bytes()).ok(), Some(read), "{written}");
        }
    )+};
}

fuzz_target!(|input: &[u8]| {
    one_form!(input, MemberId, SubsystemId, ServiceId, ServerId, ClientId);
    let _ = Part::from_segment(input);
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(subsystem) = SubsystemId::from_dstcode(text) {
        assert_eq!(SubsystemId::from_dstcode(&subsystem.dstcode()).ok(), Some(subsystem));
    }
    let _ = (text.parse::<Pattern>(), text.parse::<Pointer>(), text.parse::<Purpose>());
});
