pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

GuestScreen {
    id: root

    required property WelcomeViewModel viewModel

    Item {
        id: gate

        anchors.horizontalCenter: parent.horizontalCenter
        height: width
        width: Theme.panelHeight * 0.29

        BreathingRing {
            anchors.centerIn: parent
            height: width
            width: parent.width + Theme.gap * 3
        }

        Picture {
            anchors.fill: parent
            fill: "M134 42 A15 15 0 1 1 133.99 42 Z"
            solid: "M84 148 C94 153 110 153 120 148 L116 155 C108 158 96 158 88 155 Z M59 40 C69 38 79 44 84 54 C73 55 63 50 59 40 Z M64 58 C72 60 78 68 79 78 C70 75 64 67 64 58 Z M62 52 C58 62 50 68 40 69 C43 59 51 52 62 52 Z M54 28 C48 36 39 40 30 39 C35 31 44 27 54 28 Z"
            strokes: "M41.4 176 A96 96 0 1 1 158.6 176 M12 176 H188 M22 138 C42 108 58 100 74 120 C86 94 106 82 126 112 C140 100 158 112 177 136"
            thin: "M50 18 C62 40 68 60 62 92 M134 42 A15 15 0 1 1 133.99 42 M30 146 H72 M130 146 H168 M48 160 H78 M124 162 H152 M102 148 V128 L114 143 H102"
        }
    }

    Words {
        id: heading

        anchors.horizontalCenter: parent.horizontalCenter
        anchors.top: gate.bottom
        anchors.topMargin: Theme.gap * 3
        font.pixelSize: Theme.title
        horizontalAlignment: Text.AlignHCenter
        objectName: "heading"
        strong: true
        text: root.viewModel.heading
        width: parent.width - Theme.margin * 2
    }

    Words {
        id: lead

        anchors.horizontalCenter: parent.horizontalCenter
        anchors.top: heading.bottom
        color: Theme.muted
        font.pixelSize: Theme.lead
        horizontalAlignment: Text.AlignHCenter
        text: root.viewModel.lead
        width: parent.width - Theme.margin * 2
    }

    Column {
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.gap * 2
        anchors.left: parent.left
        anchors.leftMargin: Theme.margin
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        spacing: Theme.gap * 1.5

        Notice {
            path: Glyphs.clock
            warning: true
            width: parent.width
            words: root.viewModel.notice
        }

        BigButton {
            available: root.viewModel.canStart
            height: Math.max(implicitHeight, Theme.button * 1.6)
            hint: root.viewModel.startOther
            label: root.viewModel.startWords
            main: true
            objectName: "startButton"
            width: parent.width

            onTapped: root.viewModel.start()
        }

        Words {
            color: Theme.muted
            horizontalAlignment: Text.AlignHCenter
            text: root.viewModel.present
            visible: text !== ""
            width: parent.width
        }

        BigButton {
            hint: root.viewModel.elderHint
            label: root.viewModel.elder
            objectName: "elderButton"
            width: parent.width

            onTapped: root.viewModel.switchElder()
        }

        Flow {
            id: offers

            spacing: Theme.gap
            width: parent.width

            Repeater {
                model: root.viewModel.offers

                Row {
                    id: offer

                    required property string label
                    required property string value

                    spacing: Theme.gap * 0.5
                    width: (offers.width - Theme.gap * 3) / 4

                    Glyph {
                        anchors.verticalCenter: parent.verticalCenter
                        path: offer.value === "yes" ? Glyphs.yes : Glyphs.no
                        size: Theme.body
                        tone: offer.value === "yes" ? Theme.accent : Theme.amber
                    }

                    Words {
                        color: Theme.muted
                        text: offer.label
                        wrapMode: Text.NoWrap
                    }
                }
            }
        }
    }
}
