// SPDX-License-Identifier: Apache-2.0
import API
import Foundation

/// A request of each call that is right.
enum Example {
    static func target(_ call: Call) -> String {
        if call == .trace {
            return "\(call.path)?protocol=tcp&source=10.0.0.1&source-port=40000&destination=10.0.0.2&destination-port=443"
        }
        return call.path.replacingOccurrences(of: "{revision}", with: "7").replacingOccurrences(
            of: "{name}", with: "shop%2Fweb-1")
    }

    static func body(_ call: Call) -> String? {
        switch call {
        case .apply:
            #"{"files":[{"name":"p.yaml","text":"kind: Policy"}],"dryRun":true,"namespace":"shop","confirm":60,"ifRevision":3}"#
        case .confirm: #"{"console":true}"#
        case .rollback: #"{"reason":"it was better","confirm":60}"#
        case .register: #"{"files":[{"name":"w.yaml","text":"kind: Workload"}],"lease":60}"#
        case .update: #"{"labels":{"app":"web","old":null}}"#
        case .beginBypass: #"{"seconds":60,"reason":"maintenance"}"#
        case .beginCapture: #"{"conditions":[{"key":"port","value":"443"}],"sights":["after"],"snap":96,"seconds":5}"#
        default: nil
        }
    }
}
