// SPDX-License-Identifier: Apache-2.0
public import Policy

extension YAMLValue {
    /// A value that was not read from YAML: another reader's, at the place where that found it.
    public init(_ content: Content, at place: Place) { self.init(place: place, content: content) }
}

/// The object that a document's value describes.
public func decode(_ value: YAMLValue) throws(PolicyError) -> Document { try DocumentDecoder(value).document() }
