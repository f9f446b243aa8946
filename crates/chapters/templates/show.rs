//! How a cell shows its last value, as the notebook kernel does: through the value's own `evcxr_display`, else through `Debug`.

use std::fmt::Debug;

/// Shows values that have no inherent `evcxr_display`: an inherent method of the same name wins over this one.
#[diagnostic::on_unimplemented(
    message = "the cell cannot show its last value",
    note = "end the line with `;`, or show something that implements `Debug`"
)]
pub trait Show {
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> Show for T {
    fn evcxr_display(&self) {
        if std::any::type_name::<T>() != "()" {
            println!("EVCXR_BEGIN_CONTENT text/plain\n{self:?}\nEVCXR_END_CONTENT");
        }
    }
}

/// Stands behind the last value of a cell for each variable in it: one that was moved there does not compile.
pub fn kept<T: ?Sized>(_: &T) {}
