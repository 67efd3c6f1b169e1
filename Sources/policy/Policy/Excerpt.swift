// SPDX-License-Identifier: Apache-2.0

extension String {
    /// The text as a message quotes it: a line of 60 characters at most, with escapes for what could steer a terminal, and an ellipsis
    /// where there was more. So a file that is no policy at all is refused and not repeated.
    public var excerpt: String {
        let most = 60
        var text = ""
        for scalar in unicodeScalars.prefix(most) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                text += scalar.escaped(asASCII: true)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.dropFirst(most).isEmpty ? text : text + "…"
    }
}
