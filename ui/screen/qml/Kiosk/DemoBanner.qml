import QtQuick
import Kiosk.ViewModels

// In the demo, on every screen, above everything.
Rectangle {
    id: root

    required property string words

    color: Theme.amberSoft
    height: visible ? label.implicitHeight + Theme.mm * 2 : 0
    visible: words !== ""

    Words {
        id: label

        anchors.centerIn: parent
        color: Theme.amber
        objectName: "demoBanner"
        text: root.words
    }

    Rectangle {
        anchors.bottom: parent.bottom
        color: Theme.hairline
        height: Theme.hair
        width: parent.width
    }
}
