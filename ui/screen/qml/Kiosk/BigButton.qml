import QtQuick
import Kiosk.ViewModels

// One verb. Main: the accent's fill. Else: surface with an outline in its ink.
Touch {
    id: root

    property bool main: false
    property string hint
    property color tone: Theme.accent

    implicitHeight: Math.max(Theme.button, column.implicitHeight + Theme.gap * 2)
    implicitWidth: Theme.button * 4
    opacity: available ? 1 : 0.4

    Rectangle {
        anchors.fill: parent
        border.color: root.tone
        border.width: root.main ? 0 : Theme.hair
        color: root.main ? (root.pressed ? Theme.accentPressed : root.tone) : (root.pressed ? Theme.accentSoft : Theme.surface)
        radius: Theme.radius
    }

    Column {
        id: column

        anchors.left: parent.left
        anchors.leftMargin: Theme.gap
        anchors.right: parent.right
        anchors.rightMargin: Theme.gap
        anchors.verticalCenter: parent.verticalCenter

        Words {
            color: root.main ? Theme.accentInk : root.tone
            font.pixelSize: Theme.lead
            horizontalAlignment: Text.AlignHCenter
            strong: true
            text: root.label
            width: parent.width
        }

        Words {
            color: root.main ? Theme.accentInk : root.tone
            horizontalAlignment: Text.AlignHCenter
            text: root.hint
            visible: root.hint !== ""
            width: parent.width
        }
    }
}
