import QtQuick
import Kiosk.ViewModels

// One place in the foot bar. An empty word leaves the place empty: nothing moves.
Touch {
    id: root

    property string path

    height: parent ? parent.height : 0
    visible: label !== ""

    Rectangle {
        anchors.fill: parent
        color: root.pressed ? Theme.accentSoft : "transparent"
    }

    Column {
        anchors.centerIn: parent
        spacing: Theme.mm

        Glyph {
            anchors.horizontalCenter: parent.horizontalCenter
            path: root.path
            tone: Theme.ink
        }

        Words {
            anchors.horizontalCenter: parent.horizontalCenter
            silent: true
            text: root.label
            wrapMode: Text.NoWrap
        }
    }
}
