pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// Ten digits, erase and a verb. Our own: no keyboard of the system ever opens.
Item {
    id: root

    property string ok
    property string eraseWords
    property bool complete: false
    property bool locked: false
    property string prefix: "keypad_"
    property string okName: "keypadOk"
    readonly property real keyWidth: (width - Theme.gap * 2) / 3
    readonly property real keyHeight: Theme.button

    signal pressed(string digit)
    signal erased
    signal entered

    implicitHeight: keyHeight * 4 + Theme.gap * 3

    Repeater {
        model: 10

        KeypadKey {
            required property int index
            readonly property int place: index === 0 ? 10 : index - 1

            available: !root.locked
            height: root.keyHeight
            label: index
            objectName: root.prefix + index
            width: root.keyWidth
            x: (place % 3) * (root.keyWidth + Theme.gap)
            y: Math.floor(place / 3) * (root.keyHeight + Theme.gap)

            onTapped: root.pressed(label)
        }
    }

    KeypadKey {
        available: !root.locked
        height: root.keyHeight
        label: root.eraseWords
        objectName: root.prefix + "erase"
        path: Glyphs.erase
        width: root.keyWidth
        y: 3 * (root.keyHeight + Theme.gap)

        onTapped: root.erased()
    }

    KeypadKey {
        available: root.complete && !root.locked
        height: root.keyHeight
        label: root.ok
        main: true
        objectName: root.okName
        width: root.keyWidth
        x: 2 * (root.keyWidth + Theme.gap)
        y: 3 * (root.keyHeight + Theme.gap)

        onTapped: root.entered()
    }
}
