//! The distances of texts as functions of the engine: those of the linker, to the last bit.

use std::sync::Arc;

use datafusion::{
    arrow::{array::Float64Array, datatypes::DataType},
    common::{DataFusionError, Result, cast::as_string_array},
    logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf},
};
use linkage::Distance;

/// All that the statements of [`linkage::plan::Plan`] name beyond standard SQL.
pub fn all() -> Vec<ScalarUDF> {
    let of = |distance: Distance| {
        let measure = move |arguments: &[ColumnarValue]| measure(distance, arguments);
        let texts = vec![DataType::Utf8, DataType::Utf8];
        create_udf(
            distance.name(),
            texts,
            DataType::Float64,
            Volatility::Immutable,
            Arc::new(measure),
        )
    };
    Distance::ALL.into_iter().map(of).collect()
}

/// Row by row; NULL where either is.
fn measure(distance: Distance, arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let [a, b] = arrays.as_slice() else {
        return Err(DataFusionError::Execution("a distance is between two texts".to_owned()));
    };
    let (a, b) = (as_string_array(a)?, as_string_array(b)?);
    let pairs = a.iter().zip(b.iter());
    let measured: Float64Array = pairs.map(|pair| Some(distance.between(pair.0?, pair.1?))).collect();
    Ok(ColumnarValue::Array(Arc::new(measured)))
}
