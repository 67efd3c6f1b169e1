// SPDX-License-Identifier: Apache-2.0
public import Telemetry

/// Whoever knows the daemon's state. The API asks for each request, so the answer should be cheap.
public protocol StatusSource: Sendable {
    /// The state now.
    func status() -> StatusReport
}
