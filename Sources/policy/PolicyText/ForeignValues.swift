// SPDX-License-Identifier: Apache-2.0
public import Policy

/// The object that a native document's value describes: for readers that make documents of something else than YAML.
public func decode(_ value: YAMLValue) throws(PolicyError) -> Document { try DocumentDecoder(value).document() }
